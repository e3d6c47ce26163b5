"""How each marketplace words dates and ratings."""

from datetime import date

_ENGLISH = "January February March April May June July August September October November December".split()
_GERMAN = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()
_FRENCH = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
_ITALIAN = "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split()
_SPANISH = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()
_PORTUGUESE = "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro".split()
_DUTCH = "januari februari maart april mei juni juli augustus september oktober november december".split()
_SWEDISH = "januari februari mars april maj juni juli augusti september oktober november december".split()

_DATES: dict[str, tuple[list[str], str]] = {
    "com": (_ENGLISH, "Reviewed in the United States on {month} {day}, {year}"),
    "ca": (_ENGLISH, "Reviewed in Canada on {month} {day}, {year}"),
    "co.uk": (_ENGLISH, "Reviewed in the United Kingdom on {day} {month} {year}"),
    "com.au": (_ENGLISH, "Reviewed in Australia on {day} {month} {year}"),
    "in": (_ENGLISH, "Reviewed in India on {day} {month} {year}"),
    "ae": (_ENGLISH, "Reviewed in the United Arab Emirates on {day} {month} {year}"),
    "de": (_GERMAN, "Rezension aus Deutschland vom {day}. {month} {year}"),
    "fr": (_FRENCH, "Avis laissé en France le {day} {month} {year}"),
    "it": (_ITALIAN, "Recensito in Italia il {day} {month} {year}"),
    "es": (_SPANISH, "Reseñado en España el {day} de {month} de {year}"),
    "com.mx": (_SPANISH, "Calificado en México el {day} de {month} de {year}"),
    "com.br": (_PORTUGUESE, "Avaliado no Brasil em {day} de {month} de {year}"),
    "nl": (_DUTCH, "Beoordeeld in Nederland op {day} {month} {year}"),
    "se": (_SWEDISH, "Recenserad i Sverige den {day} {month} {year}"),
    "co.jp": (_ENGLISH, "{year}年{number}月{day}日に日本でレビュー済み"),
}

#: Marketplaces that word ratings in their own language, with a decimal comma.
_RATINGS = {
    "de": "{comma} von 5 Sternen",
    "fr": "{comma} sur 5 étoiles",
    "it": "{comma} su 5 stelle",
    "es": "{comma} de 5 estrellas",
}


def date_sentence(domain: str, day: date) -> str:
    """``Reviewed in the United States on July 4, 2025``, in the words of the marketplace."""
    months, pattern = _DATES[domain]
    return pattern.format(day=day.day, month=months[day.month - 1], year=day.year, number=day.month)


def rating_words(domain: str, stars: float) -> str:
    """``5.0 out of 5 stars``, or as the marketplace writes it."""
    pattern = _RATINGS.get(domain, "{point} out of 5 stars")
    return pattern.format(point=f"{stars:.1f}", comma=f"{stars:.1f}".replace(".", ","))
