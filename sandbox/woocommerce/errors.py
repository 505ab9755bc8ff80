"""Refusals in WooCommerce's shapes."""

from typing import Any


class RestError(Exception):
    """A refusal: HTTP status, error code, message, and what else `data` holds.

    `hides_methods`: the reply names no allowed methods, as when the permission is what fails.
    """

    def __init__(self, status: int, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.data = status, code, message, data
        self.hides_methods = False

    def body(self) -> dict[str, Any]:
        """Result: the JSON body of the refusal."""
        return {"code": self.code, "message": self.message, "data": {"status": self.status, **self.data}}


class BareStatusError(RestError):
    """A refusal whose `data` is the status itself: WooCommerce does that where it forgot to wrap it (d14b)."""

    def body(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "data": self.status}


def no_route() -> RestError:
    """Result: the refusal of an address, or a method at an address, that isn't there."""
    return RestError(404, "rest_no_route", "No route was found matching the URL and request method.")


def invalid(name: str, code: str, message: str, data: Any = None) -> RestError:
    """Result: the refusal of one parameter."""
    return RestError(
        400,
        "rest_invalid_param",
        f"Invalid parameter(s): {name}",
        params={name: message},
        details={name: {"code": code, "message": message, "data": data}},
    )


def wrong_type(name: str, wanted: str, where: str = "") -> RestError:
    """Result: the refusal of a parameter of another type; `where` names the place inside it."""
    where = where or name
    return invalid(name, "rest_invalid_type", f"{where} is not of type {wanted}.", {"param": where})


def not_in(name: str, choices: list[str], where: str = "") -> RestError:
    """Result: the refusal of a value that is not among the choices."""
    listed = ", ".join(choices[:-1]) + f", and {choices[-1]}"
    return invalid(name, "rest_not_in_enum", f"{where or name} is not one of {listed}.")
