"""The ``snapshot`` of an item: what the ad shows."""

import random
from html import escape
from typing import Any

from ...media.links import Links
from . import phrases
from .library import Ad

Snapshot = dict[str, Any]


def snapshot_of(ad: Ad, links: Links, oddity: int) -> Snapshot:
    """``oddity`` (0 to 99, from the ad's id) chooses the irregularities. Oddities 5 and 6 have no media."""
    rng = random.Random(ad.creative)
    thing = rng.choice(phrases.PRODUCTS)
    text = f"{rng.choice(phrases.HOOKS).format(thing=thing)}\n\n{rng.choice(phrases.BODIES)}"
    title = rng.choice(phrases.TITLES).format(thing=thing)
    call, call_type = rng.choice(phrases.CALLS)
    path = rng.choice(phrases.PATHS).format(slug=thing.replace(" ", "-"))
    link = None if call_type == "MESSAGE_PAGE" else _link(ad, path, oddity)
    about = {"cta_text": call, "cta_type": call_type, "link_url": link}
    templated = ad.format in ("DCO", "DPA")
    cards = _cards(ad, links, text, title, about) if templated or ad.format == "CAROUSEL" else []
    pictures = {"IMAGE": 1, "MULTI_IMAGES": 4}.get(ad.format, 0)
    snapshot = about | {
        "additional_info": None,
        "body": {"text": "{{product.brand}}"} if templated else _body(text, oddity),
        "branded_content": None,
        "brazil_tax_id": None,
        "byline": None,
        "caption": ad.page.host if link else None,
        "cards": cards,
        "country_iso_code": None,
        "current_page_name": ad.page.name,
        "disclaimer_label": None,
        "display_format": ad.format,
        "ec_certificates": None,
        "event": [],
        "extra_images": [],
        "extra_links": [],
        "extra_texts": [],
        "extra_videos": [],
        "images": [_image(links, f"{ad.creative}:{number}") for number in range(pictures)],
        "instagram_actor_name": ad.page.name,
        "instagram_branded_content": None,
        "instagram_handle": "",
        "instagram_profile_pic_url": links.picture(f"profile of {ad.page.id}", 60),
        "instagram_url": "",
        "is_reshared": False,
        "link_description": "{{product.description}}" if templated else rng.choice([None, "Free shipping over $40"]),
        "page_categories": {"109527622457518": ad.page.category} if oddity == 7 else [ad.page.category],
        "page_entity_type": "PERSON_PROFILE",
        "page_id": ad.page.id,
        "page_is_deleted": False,
        "page_is_profile_page": False,
        "page_like_count": ad.page.likes,
        "page_name": ad.page.name,
        "page_profile_picture_url": links.picture(f"profile of {ad.page.id}", 60),
        "page_profile_uri": f"https://www.facebook.com/{ad.page.id}/",
        "root_reshared_post": None,
        "title": "{{product.name}}" if templated else rng.choice([title, title, None]),
        "videos": [_video(links, ad.creative, oddity)] if ad.has_video else [],
    }
    return snapshot | {"cards": [], "images": [], "videos": []} if oddity in (5, 6) else snapshot


def _body(text: str, oddity: int) -> Any:
    """Mostly an object, but null, a plain string and markup occur."""
    if oddity == 8:
        return None
    if oddity == 9:
        return text
    if oddity == 10:
        return {"markup": {"__html": escape(text).replace("\n", "<br />")}}
    return {"text": text}


def _link(ad: Ad, path: str, oddity: int) -> str:
    """A landing page, often with macros that Meta fills in on a click."""
    if oddity == 11:
        return "fb-messenger://user-thread/100057676890954"
    macros = "?utm_source=facebook&utm_campaign={{campaign.name}}&ad={{ad.name}}" if oddity % 3 == 0 else ""
    return f"https://{ad.page.host}/{path}{macros}"


def _cards(ad: Ad, links: Links, text: str, title: str, about: Snapshot) -> list[Snapshot]:
    return [
        about
        | {
            "body": text if number == 0 else " ",  # a plain string here, an object elsewhere
            "caption": ad.page.host,
            "link_description": None,
            "title": title if number == 0 else f"{title} ({number + 1})",
            "video_hd_url": "",
            "video_sd_url": None,
            "video_preview_image_url": None,
        }
        | _image(links, f"{ad.creative}:{number}")
        for number in range(3)
    ]


def _image(links: Links, name: str) -> Snapshot:
    return {
        "original_image_url": links.picture(name),
        "resized_image_url": links.picture(name, 600),
        "watermarked_resized_image_url": "",
        "image_crops": {},
    }


def _video(links: Links, name: str, oddity: int) -> Snapshot:
    return {
        "video_hd_url": None if oddity % 10 == 3 else links.video(name),
        "video_sd_url": links.video(name, "sd"),
        "video_preview_image_url": links.picture(f"poster of {name}", 600),
        "watermarked_video_hd_url": "",
        "watermarked_video_sd_url": "",
    }
