"""Time zones by name."""

from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError


def validate_time_zone(name: str) -> None:
    """Refuse a name that is not in the time zone database."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValidationError(f"There is no time zone {name!r}. Use a name like America/Los_Angeles.") from error
