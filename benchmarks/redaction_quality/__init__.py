"""How much of what names a person is taken out of texts before they are sent, and how much else with it."""
