"""How work reaches the workers, with the reason for each setting (reliability.md, "Settings with a reason")."""

_LONGEST = 55 * 60  # seconds: a full sync of a large shop with a slow store

# A task is acknowledged when it has ended, not when it is handed out: what a killed worker had in hand comes again.
CELERY_TASK_ACKS_LATE = True
# Without it, the task of a killed child counts as done. One that kills each worker is set aside: jobs/slots.py.
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# Nothing hangs for ever. Short tasks have shorter limits of their own (sync/tasks.py). First an exception, then a kill.
CELERY_TASK_SOFT_TIME_LIMIT = 50 * 60
CELERY_TASK_TIME_LIMIT = _LONGEST
# A worker holds no more than it works on: what waits is there for the others, and a long sync blocks nobody's webhook.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A task whose broker went away is finished: its effects are in the rows, and coming again it finds them there.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# A message that is no task is dropped and ends no worker; what is due is asked for again.
CELERY_WORKER_CONSUMER = "jobs.consumer:Consumer"
# Slots are in UTC, so that no change of clocks can leave out or repeat one; business hours: jobs/due.py. No task is ever
# sent with an ETA: Redis hands one out again after its visibility timeout. `next_attempt_at` columns and slots say when.
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = "jobs.beat:SlotScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 2  # seconds: how late a slot may be opened
# For ever: the default gives up after a hundred tries, and a worker without a broker is of no use to anybody.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Seconds to wait for a broker that does not pick up. Whoever sends from a request waits no longer than twice this and the
# socket's time-out; a webhook never waits (sync/orders/wake.py).
CELERY_BROKER_CONNECTION_TIMEOUT = 5
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}

CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = True
CELERY_TASK_TRACK_STARTED = True

# What a Redis broker is told besides.
REDIS_OPTIONS = {
    # What a worker that is gone had in hand comes again after this. Twice the longest limit: never while it is still at it.
    "visibility_timeout": 2 * _LONGEST,
    # The default is none: a publish to a Redis that hangs would wait for ever.
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    # A connection that was idle is tried before it is used.
    "health_check_interval": 30,
}
