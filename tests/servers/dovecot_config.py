"""The configuration of a Dovecot that needs no rights: one account, one address, static users."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["OAUTH_FILE", "dovecot_config"]

# Services that Dovecot would start in a chroot, which only root may do.
_ROOTLESS = """
base_dir = {run}
state_dir = {run}
instance_name = deskhand-{port}
log_path = {work}/log
protocols = imap
listen = 127.0.0.1
first_valid_uid = 1
first_valid_gid = 1
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
default_vsz_limit = 1G
mail_save_crlf = yes
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service stats {{
  chroot =
}}
service imap {{
  process_limit = 64
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    auto = subscribe
    special_use = \\Drafts
  }}
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Junk {{
    auto = subscribe
    special_use = \\Junk
  }}
  mailbox Trash {{
    auto = subscribe
    special_use = \\Trash
  }}
}}
protocol imap {{
  mail_max_userip_connections = 64
}}
"""

_DOVECOT_2_3 = """
disable_plaintext_auth = no
mail_location = maildir:{work}/mail/%u:LAYOUT=fs:INBOX={work}/mail/%u/INBOX
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={work}/mail/%u
}}
"""

_TLS_2_3 = """
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
"""

# Since 2.4 a file begins with its own version, and several settings have other names.
_HEAD_2_4 = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
"""

_DOVECOT_2_4 = """
auth_allow_cleartext = yes
mail_driver = maildir
mailbox_list_layout = fs
mail_path = {work}/mail/%{{user}}
mail_inbox_path = {work}/mail/%{{user}}/INBOX
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {work}/mail/%{{user}}
  }}
}}
"""

_TLS_2_4 = """
ssl = yes
ssl_server_cert_file = {cert}
ssl_server_key_file = {key}
"""


# Tokens are shown to whoever gave them (RFC 7662).
_OAUTH_2_3 = """
auth_mechanisms = plain {mechanisms}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {work}/oauth2.conf
}}
"""

_OAUTH_2_4 = """
auth_mechanisms = plain {mechanisms}
oauth2 {{
  introspection_url = {introspection}
  introspection_mode = post
  username_attribute = username
  active_attribute = active
  active_value = true
}}
passdb oauth2 {{
  mechanisms_filter = xoauth2 oauthbearer
}}
"""

OAUTH_FILE = """
introspection_url = {introspection}
introspection_mode = post
username_attribute = username
active_attribute = active
active_value = true
"""
"""What oauth2.conf of a 2.3 holds."""


def dovecot_config(version: str, values: Mapping[str, object]) -> str:
    """The text of dovecot.conf for a version such as ``2.3.19.1``.

    ``values``: work and run (directories), port, tls_port, user, group, uid, gid, password; with
    cert and key (files) it speaks TLS; with introspection (a URL) and mechanisms it takes tokens.
    Tried with 2.3; for 2.4 it follows that version's manual.
    """
    newer = not version.startswith("2.3")
    parts = [_HEAD_2_4, _ROOTLESS, _DOVECOT_2_4] if newer else [_ROOTLESS, _DOVECOT_2_3]
    if "cert" in values:
        parts.append(_TLS_2_4 if newer else _TLS_2_3)
    else:
        parts.append("ssl = no\n")
    if "introspection" in values:
        parts.insert(-2, _OAUTH_2_4 if newer else _OAUTH_2_3)
    return "".join(parts).format(**values)
