"""Addresses that machines call. With and without the slash at the end: a webhook follows no redirect."""

from django.urls import re_path

from sync.api.webhooks import order_told, woocommerce_told

urlpatterns = [
    re_path(r"^webhooks/woocommerce/(?P<connection>[-\w]+)/?$", woocommerce_told, name="woocommerce-webhook"),
    re_path(r"^webhook/order/?$", order_told, name="order-webhook"),
]
