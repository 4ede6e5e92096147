"""How everything looks: colour tokens, the theme made of them, number formats, series colours, outcome shapes."""
