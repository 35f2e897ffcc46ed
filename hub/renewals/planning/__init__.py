"""Planning of renewals: freezes and windows, the year's load against quotas, and outage budgets."""
