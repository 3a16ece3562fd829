"""The one place that reads settings and builds objects from them."""
