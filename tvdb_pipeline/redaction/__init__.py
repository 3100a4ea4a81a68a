"""What must not leave the house is taken out of texts before they are sent to a provider.

Belongs here: finding numbers and addresses that name a person, and putting a token of their kind in their place. Does not: who
sends texts, or what is stored: stored text stays as it is. Optional: needs the extra `redaction`.
"""
