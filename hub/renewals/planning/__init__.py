"""Planning of renewals: freezes and maintenance windows, the year's load against quotas, and outage budgets."""
