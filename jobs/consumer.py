"""The worker's way with messages: one that no task can be made of is dropped, and ends nothing (found with Celery 5.7)."""

from collections.abc import Callable
from typing import Any

from celery.utils.log import get_logger
from celery.worker import consumer
from django.db import Error as DatabaseTroubleError

logger = get_logger(__name__)
ODD = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Consumer(consumer.Consumer):  # type: ignore[misc] # celery has no types
    """Celery's own drops a task that it doesn't know, but ends with one that lacks an id or whose arguments are no list."""

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """Result: what is called with each message."""
        handle = super().create_task_handler(*args, **kwargs)

        def handle_any(message: Any) -> None:
            try:
                handle(message)
            except (*ODD, DatabaseTroubleError) as error:
                logger.error("Dropped a message that no task can be made of: %r", error)
                if not message.acknowledged:
                    message.reject_log_error(logger, self.connection_errors)

        return handle_any
