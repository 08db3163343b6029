"""How an operator sees what the site does: logs, metrics, traces, reports of errors."""
