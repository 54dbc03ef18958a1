"""The stand-ins for the described platforms, by name."""

from collections.abc import Mapping

from collectors.described.stand_ins import common, emnify, one_nce, soracom, telnyx

BY_NAME: Mapping[str, type[common.Simulator]] = {
    "1nce": one_nce.OneNce,
    "emnify": emnify.Emnify,
    "soracom": soracom.Soracom,
    "telnyx": telnyx.Telnyx,
}
