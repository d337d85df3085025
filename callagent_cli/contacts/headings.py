"""What a column heading means, whatever its case, punctuation and language."""

import re
import unicodedata
from typing import Final

_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CUSTOM: Final = re.compile(r"__c$", re.IGNORECASE)
_NOT_WORD: Final = re.compile(r"[\W_]+")
_SERIES: Final = re.compile(r"phone (\d+) value")
_LABELS: Final = re.compile(r"phone (\d+) (?:label|type)")
_LONGEST_JOINED: Final = 40
"""Of longer joined words there may be too many ways to take them apart."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split(","))


_PHONE: Final = _words("""
    phone phones telephone tel mobile mobil cell cellphone cellular msisdn e164 whatsapp
    telefon telefonnummer telefonnr telnr telno handy handynummer handynr mobilnummer mobiltelefon
    mobiltelefonnummer mobilfunk mobilfunknummer festnetz festnetznummer rufnummer mobilrufnummer
    portable telefono movil celular cellulare telefone telemovel telefoon telefoonnummer mobiel
    telefonszam
""")
_QUALIFIERS: Final = _words("""
    a number numbers no nr num nummer numero n primary main work business home office direct private
    personal contact customer e 164 international full value 1 de del di du da la le el il d
    privat private geschaftlich dienstlich arbeit buro haupt domicile bureau travail professionnel
    personnel principal fixe fijo casa trabajo oficina particular contacto ufficio lavoro
    trabalho residencial zakelijk prive
""")
_LONG: Final = "|".join(word for word in sorted(_QUALIFIERS) if len(word) > 3)  # noqa: PLR2004 — shorter ones stand in other words.
_JOINED_PHONE: Final = re.compile(
    rf"(?:{_LONG})*(?:{'|'.join(sorted(_PHONE))})(?:{_LONG}|no|nr|num|{'|'.join(sorted(_PHONE))})*"
    r"\d{0,2}"
)
_PHONE_PHRASES: Final = _phrases(
    "contact number, contact no, contact nr, numero de contacto, number to call, call number,"
    " to number, dial number, callee number, numero de portable"
)
_WEAK_PHONE: Final = _phrases("number, nummer, numero, to")
"""Headings that mean a phone only when no other column does."""

_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "name": _phrases(
        "name, full name, contact name, display name, customer name, lead name, person,"
        " contact, vollstandiger name, kontaktname, ansprechpartner, nom complet,"
        " nombre completo, nome completo, nome e cognome, volledige naam, naam"
    ),
    "first": _phrases(
        "first name, given name, firstname, forename, vorname, prenom, nombre, nome, voornaam"
    ),
    "last": _phrases(
        "last name, family name, lastname, surname, nachname, familienname, nom, nom de famille,"
        " apellido, apellidos, cognome, sobrenome, achternaam"
    ),
    "timezone": _phrases(
        "timezone, time zone, tz, iana timezone, iana time zone, time zone iana, hs timezone,"
        " zeitzone, fuseau horaire, zona horaria, fuso orario, fuso horario, tijdzone"
    ),
    "crm_id": _phrases(
        "record id, record id contact, hs object id, hubspot id, hubspot contact id, contact id,"
        " crm id, salesforce id, lead id, vid, id"
    ),
    "extension": _phrases(
        "extension, ext, phone extension, phone ext, durchwahl, nebenstelle, poste,"
        " extension telefonica, anexo, interno, toestel"
    ),
}
"""For each field its headings, the best first."""

_ZONE: Final = re.compile(rf"\b(?:{'|'.join(_FIELDS['timezone'])})\b")
_AROUND_ZONE: Final = _words("""
    contact contacts customer client lead person people user callee local iana name names id sid key
    s the of
""")
"""Words that leave a time zone the person's own; an owner, a company or an address has another."""

_MAY_BE_ZONE: Final = re.compile(
    r"\b(?:time ?zones?|tz|zeitzone|fuseau horaire|zona horaria|fuso (?:orario|horario)|tijdzone"
    r"|(?:utc|gmt|time) ?offset)\b"
)

_DO_NOT_CALL: Final = _phrases(
    "do not call, donotcall, dnc, do not contact, do not phone, no call, no calls, dont call,"
    " don t call, opt out, optout, opted out, opted out of calls, call opt out, phone opt out,"
    " has opted out of call, has opted out of calls, has opted out of phone, calls opted out,"
    " unsubscribed, unsubscribed from calls,"
    " do not allow phone calls, do not allow calls, do not dial, dont dial, don t dial,"
    " unsubscribe from calls, no phone calls, no telemarketing,"
    " never call, not to be called, nicht anrufen, anrufverbot, anrufsperre, kontaktsperre,"
    " sperrvermerk, kein anruf, keine anrufe, keine telefonanrufe, nicht kontaktieren,"
    " kein kontakt, keine kontaktaufnahme, telefonsperre, telefonverbot, werbesperre,"
    " werbewiderspruch,"
    " ne pas appeler, ne plus appeler, ne pas contacter, ne plus contacter, ne pas telephoner,"
    " liste rouge, no llamar, no contactar, no telefonear, non chiamare, non contattare,"
    " non telefonare, nao ligar, nao contatar, nao contactar, nao telefonar, niet bellen,"
    " niet contacteren, bel me niet"
)
_AROUND_DO_NOT_CALL: Final = _words("""
    a is on has of the or and please contact customer lead person calls phone call flag status list
    registry registered marked mark indicator field federal national state internal y n yn yes no
    true false ja nein jn oui non si 0 1 bitte liste registro e ou und
""")
"""Words that change nothing about it: `On federal DNC list (Y/N)`."""

_OTHER_WAYS: Final = _words(
    "email emails mail mails mailing mailings fax sms text texts message messages post newsletter"
)
_CALLS: Final = re.compile(
    r"\b(?:do ?not ?call|calls?|called|calling|dnc|phones?|telephones?|telefon\w*|\w*anruf\w*"
    r"|appels?|appeler|llamar|llamadas?|chiamare|ligar|bellen)\b"
)
"""Words of a heading about calls, whatever else it is about."""

_PHRASES: Final = "|".join(sorted(_DO_NOT_CALL, key=len, reverse=True)).replace(" ", " ?")
_PHRASE: Final = re.compile(rf"\b(?:{_PHRASES})\b")
_AROUND: Final = "|".join(word for word in sorted(_AROUND_DO_NOT_CALL) if len(word) > 1)
_JOINED: Final = re.compile(rf"(?:{_AROUND})*(?:{_PHRASES})+(?:{_AROUND})*")
_SPELLED: Final = re.compile(r"\b([a-z]) (?=[a-z]\b)")
"""Letters that stand alone, as in `D.N.C.` and `Y/N`."""

_YES_NO: Final = re.compile(r" (?:[yjos] n|n [yjos])$")
"""What a cell may hold, at the end of its heading: `(Y/N)`, `(n/j)`, `(O/N)`."""

_MAY_FORBID: Final = re.compile(
    r"\b(?:do not|donotcall\w*|dont|don t|dnc|opt(?:ed)? ?out|unsubscribed?|not to|never"
    r"|blocked|blacklist|blacklisted|consent|permission|tps|ctps|robinson\w*|bloctel|sperr\w*|\w*sperre"
    r"|gesperrt|\w*widerspruch|suppress\w*|exclude\w*|einwilligung|opposition|nicht|keine?|ne pas"
    r"|ne plus|no llamar|non chiamare|nao ligar|niet bellen|bloquead\w*)\b"
)
"""Words in headings of marks that somebody keeps about calls, or about something else."""


def normalize(heading: str) -> str:
    """Return a heading as lower-case words without accents: `Téléphone (Mobile)` → words."""
    text = _CUSTOM.sub("", heading.strip())
    text = unicodedata.normalize("NFKD", _CAMEL.sub(" ", text)).casefold()
    text = "".join(character for character in text if not unicodedata.combining(character))
    return _NOT_WORD.sub(" ", text).strip().replace("whats app", "whatsapp")


def slug(heading: str) -> str:
    """Return the variable's name for a heading: `Company Name` → `company_name`."""
    return normalize(heading).replace(" ", "_")


def is_phone(heading: str) -> bool:
    """Say whether a heading means a phone number: a phone word and nothing that limits it."""
    text = normalize(heading)
    words = set(text.split())
    phones = {word for word in words if word in _PHONE or _is_joined_phone(word)}
    limits = {word for word in words - phones - _QUALIFIERS if not _is_ordinal(word)}
    return (bool(phones) and not limits) or text in _PHONE_PHRASES


def _is_joined_phone(word: str) -> bool:
    return len(word) <= _LONGEST_JOINED and _JOINED_PHONE.fullmatch(word) is not None


def _is_ordinal(word: str) -> bool:
    """Say whether a word only tells one of several columns from the others: `Phone 2`."""
    return word.isdecimal() and len(word) == 1


def is_weak_phone(heading: str) -> bool:
    """Say whether a heading can mean a phone number when no other one does."""
    return normalize(heading) in _WEAK_PHONE


def is_do_not_call(heading: str) -> bool:
    """Say whether a heading marks people who must not be called, among other things maybe."""
    text = _SPELLED.sub(r"\1", _YES_NO.sub("", normalize(heading)))
    if " " not in text and len(text) <= _LONGEST_JOINED:
        return _JOINED.fullmatch(text) is not None
    around, phrases = _PHRASE.subn(" ", text)
    words = set(around.split()) - _AROUND_DO_NOT_CALL
    return phrases > 0 and (not words or (words <= _OTHER_WAYS and _is_about_calls(text)))


def may_forbid(heading: str) -> bool:
    """Say whether a heading could mark people who must not be called, so that a person may look."""
    text = normalize(heading)
    if _MAY_FORBID.search(text) is None:
        return False
    return _OTHER_WAYS.isdisjoint(text.split()) or _is_about_calls(text)


def _is_about_calls(text: str) -> bool:
    return _CALLS.search(text) is not None


def series_number(heading: str) -> int | None:
    """Return n of `Phone n - Value`, Google's several numbers of one person; else None."""
    match = _SERIES.fullmatch(normalize(heading))
    return int(match[1]) if match else None


def label_number(heading: str) -> int | None:
    """Return n of `Phone n - Label`, which says what Google's n-th number is; else None."""
    match = _LABELS.fullmatch(normalize(heading))
    return int(match[1]) if match else None


def best(field: str, headings: list[str]) -> list[int]:
    """Return the indexes of the headings that mean a field best; several mean it alike.

    Of time zones none is better than another: the wrong one wakes somebody up.
    """
    if field == "timezone":
        return [index for index, heading in enumerate(headings) if _is_time_zone(heading)]
    joined = [normalize(heading).replace(" ", "") for heading in headings]
    phrases = [phrase.replace(" ", "") for phrase in _FIELDS[field]]
    alike = ([i for i, text in enumerate(joined) if text == phrase] for phrase in phrases)
    return next((found for found in alike if found), [])


def _is_time_zone(heading: str) -> bool:
    """Say whether a heading means the person's time zone: `Contact Time Zone (IANA)`."""
    text = normalize(heading)
    around, zones = _ZONE.subn(" ", text)
    joined = text.replace(" ", "") in {zone.replace(" ", "") for zone in _FIELDS["timezone"]}
    return joined or (zones > 0 and set(around.split()) <= _AROUND_ZONE)


def may_be_time_zone(heading: str) -> bool:
    """Say whether a heading could mean a time zone, so that a person may look."""
    return _MAY_BE_ZONE.search(normalize(heading)) is not None
