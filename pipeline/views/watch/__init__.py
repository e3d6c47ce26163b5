"""For monitors and those they tell: probes, metrics, ids of requests, notifications."""
