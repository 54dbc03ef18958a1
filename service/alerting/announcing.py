"""The message that a package was issued: where it is, and not a figure of it."""

from dataclasses import dataclass
from datetime import date

from service.alerting import messages, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """``release_id`` tells it from every other of its district."""

    release_id: int
    month_on: date
    revision: int
    pilot: str = ""


def composed(package: Package, sender: messages.Sender, audience: messages.Audience) -> messages.Message:
    """The same at every try, with the same id."""
    heading = words.phrase(
        audience.language,
        "package_again" if package.revision > 1 else "package_subject",
        month=words.month(audience.language, package.month_on),
        revision=package.revision,
    )
    return messages.Message(
        id=f"afterbell.{sender.district_id}.package.{package.release_id}.{package.month_on:%Y%m}.{audience.channel_key}",
        begun_by=None,
        kind="package",
        sender=sender,
        audience=audience,
        topic="package",
        subject=f"{heading} · {sender.name}",
        heading=heading,
        severity="info",
        sections=(),
        link=messages.address(sender, "exports"),
        text=_text(package, audience.language),
        action="package_action",
        open_words="open_packages",
    )


def _text(package: Package, language: str) -> str:
    told = [words.phrase(language, "package_text")]
    if package.pilot:
        told.insert(0, words.phrase(language, "package_pilot", pilot=package.pilot))
    if package.revision > 1:
        told.append(words.phrase(language, "package_corrected"))
    return " ".join(told)
