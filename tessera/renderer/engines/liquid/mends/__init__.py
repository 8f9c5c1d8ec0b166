"""Where python-liquid departs from Shopify's Liquid: one file for each departure, which says Liquid's own rule."""
