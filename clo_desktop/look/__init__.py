"""How everything looks: colour tokens, the theme, number formats, series colours, outcome shapes, labels and fields."""
