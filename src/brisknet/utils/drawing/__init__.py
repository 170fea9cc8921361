"""Pictures of models: what is drawn (model_graph), where it goes (layout, place), and how it is written (svg, dot)."""
