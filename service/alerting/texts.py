"""A message as text, as HTML, as a few words for a telephone, and as JSON."""

import json
from typing import Any

import jinja2

from service.alerting import messages, words

VERSION = 1  # of the JSON: a number more when something in it changes its meaning or goes


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("service.alerting"),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


_TEMPLATES = _environment()


def plain(message: messages.Message) -> str:
    return _rendered("mail.txt", message)


def html(message: messages.Message) -> str:
    return _rendered("mail.html", message)


def chat(message: messages.Message) -> str:
    """Without the title, which goes beside it."""
    return _rendered("chat.txt", message)


def brief(message: messages.Message) -> str:
    """For a telephone: what the subject says, and where to read on."""
    links = [section.link for section in message.sections] if len(message.sections) == 1 else []
    link = links[0] if links else message.link
    if message.kind == "test" and message.text:
        return message.text
    return f"{message.subject} {link}" if link else message.subject


def _rendered(template: str, message: messages.Message) -> str:
    language = message.audience.language
    audience = words.phrase(
        language,
        "audience",
        roles=words.roles(language, message.audience.roles),
        district=message.sender.name,
        channel=message.audience.channel_key,
    )

    def say(name: str) -> str:
        return words.phrase(language, name)

    text = _TEMPLATES.get_template(template).render(
        message=message, audience=audience, say=say, language=language
    )
    return text.strip() + "\n"


def as_json(message: messages.Message) -> bytes:
    """What a webhook gets: the same bytes at every try."""
    told: dict[str, Any] = {
        "version": VERSION,
        "id": message.id,
        "in_reply_to": message.begun_by,
        "kind": message.kind,
        "district": {"id": message.sender.district_id, "name": message.sender.name},
        "channel": message.audience.channel_key,
        "language": message.audience.language,
        "topic": message.topic.partition("@")[0],
        "severity": message.severity,
        "is_resolved": message.is_over,
        "subject": message.subject,
        "text": plain(message),
        "link": message.link,
        "rules": [_section(section) for section in message.sections],
    }
    return json.dumps(told, ensure_ascii=False).encode()


def _section(section: messages.Section) -> dict[str, Any]:
    return {
        "rule": section.rule,
        "title": section.title,
        "severity": section.severity,
        "why": section.why,
        "action": section.action,
        "threshold": section.threshold,
        "unit": section.unit,
        "link": section.link,
        "changes": [_change(change) for change in section.changes],
    }


def _change(change: messages.Change) -> dict[str, Any]:
    until = change.until_at
    return {
        "outcome": change.outcome,
        "count": change.count,
        "since": change.since_at.isoformat(),
        "latest_since": change.latest_since_at.isoformat(),
        "until": None if until is None else until.isoformat(),
        "least": change.least,
        "most": change.most,
        "schools": [
            {"name": place.name, "words": place.words, "count": place.count} for place in change.places
        ],
    }
