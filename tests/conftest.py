"""Shapes and dtypes in signatures are checked while the suite runs, and only then."""

from jaxtyping import install_import_hook

CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
install_import_hook("foqus_lib", CHECKER)
