"""Addresses that machines call. With and without the slash at the end: a webhook follows no redirect."""

from django.urls import re_path

from sync.api.webhooks import OrderWebhook, WooCommerceWebhook

urlpatterns = [
    re_path(r"^webhooks/woocommerce/(?P<connection>[-\w]+)/?$", WooCommerceWebhook.as_view(), name="woocommerce-webhook"),
    re_path(r"^webhook/order/?$", OrderWebhook.as_view(), name="order-webhook"),
]
