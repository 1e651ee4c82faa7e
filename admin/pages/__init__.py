"""One module per noun; each route names its permission beside its path."""
