"""Addresses of signing in and of one's own account. They bear the names that django-allauth looks for, so they are
in no namespace; what serves them is loaded when it is first asked for, because it brings large libraries along."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt

from watchkeeper.console.views import account


def _later(name: str) -> Any:
    def view(request: HttpRequest, **given: Any) -> HttpResponse:
        served: HttpResponse = import_string(f"watchkeeper.console.views.{name}")(request, **given)
        return served

    return view


def _from_elsewhere(name: str) -> Any:
    """What a provider lets the browser POST; the answer's signature is what counts."""
    return csrf_exempt(_later(name))


urlpatterns = [
    path("sign-in/", account.sign_in, name="account_login"),
    path("sign-in/with/<slug:provider_id>/", _later("single_sign_on.oidc"), name="openid_connect_login"),
    path("sign-in/with/<slug:provider_id>/callback/", _later("single_sign_on.oidc_back"),
         name="openid_connect_callback"),
    path("sign-in/saml/<slug:organization_slug>/", _later("single_sign_on.saml"), name="saml_login"),
    path("sign-in/saml/<slug:organization_slug>/acs/", _from_elsewhere("single_sign_on.saml_answer"), name="saml_acs"),
    path("sign-in/saml/<slug:organization_slug>/finish/", _later("single_sign_on.saml_back"), name="saml_finish_acs"),
    path("sign-in/saml/<slug:organization_slug>/sls/", account.sign_out_elsewhere, name="saml_sls"),
    path("sign-in/saml/<slug:organization_slug>/metadata/", _later("single_sign_on.saml_metadata"),
         name="saml_metadata"),
    path("sign-in/second-step/", _later("factors.second_step"), name="mfa_authenticate"),
    path("sign-in/passkey/", _later("factors.passkey"), name="mfa_login_webauthn"),
    path("account/", account.own, name="account"),
    path("account/sessions/end/", account.end_sessions, name="end-sessions"),
    path("account/security/", _later("factors.security"), name="mfa_index"),
    path("account/confirm/", _later("factors.by_password"), name="account_reauthenticate"),
    path("account/confirm/code/", _later("factors.by_code"), name="mfa_reauthenticate"),
    path("account/confirm/passkey/", _later("factors.by_passkey"), name="mfa_reauthenticate_webauthn"),
    path("account/security/app/", _later("factors.add_app"), name="mfa_activate_totp"),
    path("account/security/app/remove/", _later("factors.remove_app"), name="mfa_deactivate_totp"),
    path("account/security/codes/", _later("factors.codes"), name="mfa_view_recovery_codes"),
    path("account/security/codes/new/", _later("factors.new_codes"), name="mfa_generate_recovery_codes"),
    path("account/security/passkeys/add/", _later("factors.add_passkey"), name="mfa_add_webauthn"),
    path("account/security/passkeys/<int:pk>/remove/", _later("factors.remove_passkey"), name="mfa_remove_webauthn"),
]  # fmt: skip
