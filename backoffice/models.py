"""No rows of its own. Django tells only apps that have this file that a migration has ended, and roles follow then."""
