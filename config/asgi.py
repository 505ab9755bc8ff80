"""The web process's entry point: Django behind its door. Started by `python -m config.web`."""

from config.web.door import Door
from config.web.senders import may_send
from config.wsgi import application as django

# Each works on one request, and has a connection to the database of its own. A second one keeps a webhook from waiting for a slow
# page; more than a few only pass one processor to and fro.
THREADS = 4

application = Door(django, may_send=may_send, threads=THREADS)
