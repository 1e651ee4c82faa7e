"""The FAQ as shipped: one YAML file per topic group, the yearly figures, the lexicon, the register's facts.

Editors change the YAML files; `entries.py` reads them, `checks.py` says what is wrong with them.
"""

from pathlib import Path

CONTENT = Path(__file__).parent
FAQ = CONTENT / "faq"
REGISTER = CONTENT / "register.json"
FIGURES = CONTENT / "figures.yaml"
LEXICON = CONTENT / "lexicon.yaml"
OUTSIDE = CONTENT / "outside.yaml"
AXES = CONTENT / "axes.yaml"
FACTS = CONTENT / "facts.yaml"
CONTRASTS = CONTENT / "contrasts.yaml"
