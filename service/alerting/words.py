"""The words of messages, in English and Spanish. A language is a table; what is not in it is an error at once."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from types import MappingProxyType
from zoneinfo import ZoneInfo

LANGUAGES = ("en", "es")

# What became of alerts: (one, several).
_COUNTED: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "en": {
        "new": ("1 new", "{n} new"),
        "still": ("1 still so", "{n} still so"),
        "escalated": ("1 that nobody has acknowledged", "{n} that nobody has acknowledged"),
        "held": ("1 that comes and goes", "{n} that come and go"),
        "resolved": ("1 resolved", "{n} resolved"),
        "passed": ("1 that came and went", "{n} that came and went"),
    },
    "es": {
        "new": ("1 caso nuevo", "{n} casos nuevos"),
        "still": ("1 caso sigue igual", "{n} casos siguen igual"),
        "escalated": ("1 caso que nadie ha confirmado", "{n} casos que nadie ha confirmado"),
        "held": ("1 caso que va y viene", "{n} casos que van y vienen"),
        "resolved": ("1 caso resuelto", "{n} casos resueltos"),
        "passed": ("1 caso que ya pasó", "{n} casos que ya pasaron"),
    },
}
_PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "since": "since {first}",
        "since_first": "the first since {first}, the latest since {last}",
        "until": "from {first} to {until}",
        "until_several": "the first since {first}, all over by {until}",
        "held_back": "No more messages about these until they have been steady for a day.",
        "few_in_need": "a school with few students in need",
        "few_in_need_several": "schools with few students in need",
        "need_not_known": "a school whose need is not known",
        "need_not_known_several": "schools whose need is not known",
        "more_schools": "and {n} more schools",
        "to": "{least} to {most}",
        "threshold": "Threshold: {amount}",
        "why": "Why it matters",
        "action": "What to do",
        "open_list": "See the list",
        "open_alert": "Open the alert",
        "open_all": "See all alerts",
        "resolved": "Resolved",
        "daily": "Daily summary",
        "weekly": "Weekly summary",
        "several": "Several alerts",
        "audience": "You get this as {roles} of {district} (channel {channel}).",
        "nobody_named": "It names no student, borrower or device.",
        "nothing_to_do": "Nothing needs to be done.",
        "ended_rule_off": "its rule was switched off",
        "ended_gone": "no longer there: returned, or out of the fleet",
        "test_subject": "Test message from afterbell",
        "test_text": "This is a test. If you can read it, alerts of this district reach you here.",
        "test_action": "Nothing needs to be done.",
        "package_subject": "The package of {month} is ready",
        "package_again": "The package of {month} was corrected (revision {revision})",
        "package_pilot": "It is the one of the pilot {pilot}.",
        "package_text": "Tables, a workbook and a report, so made that no child can be found. It may be shared.",
        "package_corrected": "It lists what changed and why; what was issued before stays as it is.",
        "package_action": "Take it with a token for export, and pass it on.",
        "open_packages": "See the packages",
    },
    "es": {
        "since": "desde el {first}",
        "since_first": "el primero desde el {first}, el último desde el {last}",
        "until": "desde el {first} hasta el {until}",
        "until_several": "el primero desde el {first}, todos terminados el {until}",
        "held_back": "No habrá más mensajes sobre estos casos hasta que lleven un día estables.",
        "few_in_need": "una escuela con pocos estudiantes con necesidad",
        "few_in_need_several": "escuelas con pocos estudiantes con necesidad",
        "need_not_known": "una escuela cuya necesidad no se conoce",
        "need_not_known_several": "escuelas cuya necesidad no se conoce",
        "more_schools": "y {n} escuelas más",
        "to": "de {least} a {most}",
        "threshold": "Umbral: {amount}",
        "why": "Por qué importa",
        "action": "Qué hacer",
        "open_list": "Ver la lista",
        "open_alert": "Abrir la alerta",
        "open_all": "Ver todas las alertas",
        "resolved": "Resuelto",
        "daily": "Resumen diario",
        "weekly": "Resumen semanal",
        "several": "Varias alertas",
        "audience": "Recibe este mensaje por su función en {district}: {roles} (canal {channel}).",
        "nobody_named": "No nombra a estudiantes, prestatarios ni dispositivos.",
        "nothing_to_do": "No hay que hacer nada.",
        "ended_rule_off": "su regla se desactivó",
        "ended_gone": "ya no está: se devolvió o salió de la flota",
        "test_subject": "Mensaje de prueba de afterbell",
        "test_text": "Esto es una prueba. Si puede leerlo, las alertas de este distrito le llegan aquí.",
        "test_action": "No hay que hacer nada.",
        "package_subject": "El paquete de {month} está listo",
        "package_again": "El paquete de {month} se corrigió (revisión {revision})",
        "package_pilot": "Es el del piloto {pilot}.",
        "package_text": "Tablas, un libro de cálculo y un informe, hechos de modo que no se pueda identificar a ningún "
        "menor. Se puede compartir.",
        "package_corrected": "Indica qué cambió y por qué; lo publicado antes queda como está.",
        "package_action": "Descárguelo con un token para exportar y compártalo.",
        "open_packages": "Ver los paquetes",
    },
}
_SEVERITIES: Mapping[str, Mapping[str, str]] = {
    "en": {"info": "For information", "warning": "Warning", "high": "Important", "critical": "Critical"},
    "es": {"info": "Información", "warning": "Aviso", "high": "Importante", "critical": "Crítico"},
}
_ROLES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "it": "IT",
        "coordinator": "coordinator",
        "school": "teacher in charge of loans",
        "finance": "finance",
    },
    "es": {
        "it": "informática",
        "coordinator": "coordinación",
        "school": "docente a cargo de los préstamos",
        "finance": "finanzas",
    },
}
_UNITS_ES = MappingProxyType(
    {
        "day": "día", "days": "días", "instructional days": "días lectivos", "hours": "horas", "hour": "hora",
        "months": "meses", "minutes": "minutos", "points": "puntos", "loans": "préstamos", "lines": "líneas",
        "requests": "solicitudes", "hotspots": "equipos", "schools": "escuelas",
        "devices": "dispositivos", "students": "estudiantes",
    }
)  # fmt: skip
_ONE_ES = MappingProxyType({"meses": "mes", "días lectivos": "día lectivo", "solicitudes": "solicitud"})
_MONTHS_ES = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
    "diciembre",
)  # fmt: skip
_DAYS_ES = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")


def phrase(language: str, name: str, **values: object) -> str:
    return _PHRASES[language][name].format(**values)


def counted(language: str, outcome: str, count: int) -> str:
    one, several = _COUNTED[language][outcome]
    return one if count == 1 else several.format(n=count)


def severity(language: str, name: str) -> str:
    return _SEVERITIES[language][name]


def roles(language: str, names: Collection[str]) -> str:
    return ", ".join(_ROLES[language][name] for name in names)


def instant(language: str, at: datetime, zone: ZoneInfo) -> str:
    """A day where it is its first moment, else with the time of day."""
    local = at.astimezone(zone)
    if language == "es":
        day = f"{_DAYS_ES[local.weekday()]} {local.day} de {_MONTHS_ES[local.month - 1]} de {local.year}"
        return day if local.time() == time() else f"{day} a las {local.hour}:{local:%M}"
    day = f"{local:%A}, {local:%B} {local.day}, {local.year}"
    return day if local.time() == time() else f"{day}, {local.hour % 12 or 12}:{local:%M %p}"


def month(language: str, day: date) -> str:
    """``October 2026``, ``octubre de 2026``."""
    return f"{_MONTHS_ES[day.month - 1]} de {day.year}" if language == "es" else f"{day:%B} {day.year}"


def amount(language: str, least: float, most: float, unit: str) -> str:
    """``34 days``, ``30 to 41 days``, ``62.5%``."""
    shown = {_number(least): None, _number(most): None}  # once where both read the same
    numbers = next(iter(shown)) if len(shown) == 1 else phrase(
        language, "to", least=_number(least), most=_number(most)
    )  # fmt: skip
    if unit == "%":
        return f"{numbers}%" if language == "en" else f"{numbers} %"
    spoken = _UNITS_ES.get(unit, unit) if language == "es" else unit
    if spoken.endswith("s") and numbers == "1":
        spoken = _ONE_ES.get(spoken) or spoken.removesuffix("s")
    return f"{numbers} {spoken}".strip()


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
