"""The text of one snapshot, written once: scrapes get it as it is, compressed or not."""

import gzip
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import core
from prometheus_client import registry as registries

from service.metrics import families, tables

_COMPRESSION = 4  # more costs more time than it saves bytes
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"  # deflate, no name, no time, Unix


class Shown(registries.Collector):
    """The gauges of a snapshot. Their text is the same in Prometheus's format and in OpenMetrics."""

    def __init__(self, known: tables.Known) -> None:
        self._known = known
        self.text = "".join(_texts(known)).encode()
        self._checksum = zlib.crc32(self.text)
        compressing = zlib.compressobj(_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
        # A full flush ends on a byte and forgets what came before, so that any other deflated text may follow.
        self._deflated = compressing.compress(self.text) + compressing.flush(zlib.Z_FULL_FLUSH)

    def compressed(self, rest: bytes) -> bytes:
        """The text and what follows it, as one gzip file (RFC 1952): only what follows is compressed now."""
        compressing = zlib.compressobj(_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
        deflated = compressing.compress(rest) + compressing.flush()
        length = (len(self.text) + len(rest)) & 0xFFFFFFFF
        trailer = struct.pack("<II", zlib.crc32(rest, self._checksum), length)
        return _GZIP_HEADER + self._deflated + deflated + trailer

    def collect(self) -> Iterator[core.Metric]:
        """The same as objects of the library: slower, for what is asked in another way of writing names."""
        for labels, rows, subjects in _tables(self._known):
            for family in rows:
                made = core.GaugeMetricFamily(family.name, family.help, labels=(*labels, *family.labels))
                for key, subject in subjects:
                    for values, value in family.series(key, subject):
                        if value is not None:
                            made.add_metric(values, value)
                yield made


def compressed(text: bytes) -> bytes:
    """As gzip."""
    return gzip.compress(text, _COMPRESSION, mtime=0)


_Row = tuple[families.Labels, tuple[families.Family, ...], list[tuple[families.Labels, object]]]


def _tables(known: tables.Known) -> Iterator[_Row]:
    """All families, also without a series, so that their help is there from the start."""
    for table, (labels, rows) in tables.TABLES.items():
        yield labels, rows, list(known.subjects(table))


def _texts(known: tables.Known) -> Iterator[str]:
    for labels, rows, subjects in _tables(known):
        write = _writer(labels)
        written = [(write(key), subject) for key, subject in subjects]  # once for all families of the table
        for family in rows:
            yield f"# HELP {family.name} {family.help}\n# TYPE {family.name} gauge\n"
            yield from (
                _single(family, written) if isinstance(family, families.Gauge) else _by(family, written)
            )


def _single(family: families.Gauge[Any], written: list[tuple[str, object]]) -> Iterator[str]:
    name, value_of = family.name, family.value
    for labels, subject in written:
        value = value_of(subject)
        if value is not None:
            told = f"{{{labels}}}" if labels else ""
            yield f"{name}{told} {float(value)!r}\n"


def _by(family: families.By[Any], written: list[tuple[str, object]]) -> Iterator[str]:
    """Its own label goes last, as it does by name."""
    for labels, subject in written:
        start = f'{family.name}{{{labels},{family.label}="'
        for word, value in family.values(subject).items():
            if value is not None:
                yield f'{start}{_escaped(word)}"}} {float(value)!r}\n'


def _writer(names: families.Labels) -> Callable[[families.Labels], str]:
    """How label values of these names are written: sorted by name, as the library does."""
    order = sorted(range(len(names)), key=names.__getitem__)
    form = ",".join(f'{names[at]}="%s"' for at in order)
    return lambda values: form % tuple([_escaped(values[at]) for at in order])


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
