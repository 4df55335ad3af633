"""Papers that the shop owes (Art. 5(2), 13, 30 GDPR; DIN 66398), generated from declarations, rules and recipients."""
