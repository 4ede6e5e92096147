"""Tables: frozen data, a model that sorts and filters with numpy, and a view with Excel's habits."""
