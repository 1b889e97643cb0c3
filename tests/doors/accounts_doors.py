"""Which door of the accounts does what a command does, and which commands have none. Pure.

The accounts had doors of their own before steps were described (`node.api`), for keys of programs with scopes. They stay: a
second way to the same would be one more to keep right. This table says which is which; a test holds it against both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ACCOUNT: Final = "/v1/accounts/{account}"
_OPERATIONS: Final = "/v1/solidarity/operations"
_POOLS: Final = "/v1/solidarity/pools"
_GIFT: Final = "/v1/solidarity/gifts/{id}"
_GROUP: Final = "/v1/groups/{account}"
_KEYS: Final = "a key makes no other"
_JOB: Final = "the base does it by itself"
_PAPERS: Final = "after a loss a person reads papers, and says so on the machine"
_FILES: Final = "it reads or writes a file of the machine"

ACCOUNTS_DOORS: Final[Mapping[str, str]] = {
    "open": "POST /v1/accounts",
    "account": f"GET {_ACCOUNT}",
    "state": f"POST {_ACCOUNT}/state",
    "name": f"PUT {_ACCOUNT}/shown-name",
    "balance": f"GET {_ACCOUNT}/balance",
    "history": f"GET {_ACCOUNT}/history",
    "statement": f"GET {_ACCOUNT}/statement",
    "credit": "POST /v1/credits",
    "reverse": "POST /v1/reversals",
    "operation": "GET /v1/operations/{id}",
    "totals": "GET /v1/totals",
    "cede": "POST /v1/cessions",
    "cessions": "GET /v1/cessions",
    "cession": "GET /v1/cessions/{id}",
    "recall": "POST /v1/cessions/{id}/recall",
    "give_back": "POST /v1/arrivals/{id}/return",
    "arrivals": "GET /v1/arrivals",
    "orient": "POST /v1/orientations",
    "orientations": "GET /v1/orientations",
    "take_back": "POST /v1/orientations/{id}/return",
    "order_standing": "POST /v1/standing-orders",
    "standing": "GET /v1/standing-orders",
    "stop_standing": "DELETE /v1/standing-orders/{id}",
    "support": "GET /v1/support",
    "payee": "GET /v1/payee",
    "directory": "GET /v1/directory",
    "solidarity_open_pool": f"POST {_POOLS}",
    "solidarity_pools": f"GET {_POOLS}",
    "solidarity_givers": f"POST {_POOLS}/{{id}}/givers",
    "solidarity_enrol": f"POST {_POOLS}/{{id}}/receivers",
    "solidarity_receivers": f"GET {_POOLS}/{{id}}/receivers",
    "solidarity_open": f"POST {_OPERATIONS}",
    "solidarity_operations": f"GET {_OPERATIONS}",
    "solidarity_operation": f"GET {_OPERATIONS}/{{id}}",
    "solidarity_decide": f"POST {_OPERATIONS}/{{id}}/decisions",
    "solidarity_gift": f"GET {_GIFT}",
    "solidarity_take_back": f"POST {_GIFT}/return",
    "group_declare": "POST /v1/groups",
    "group_show": f"GET {_GROUP}",
    "group_join": f"POST {_GROUP}/members",
    "group_leave": f"DELETE {_GROUP}/members/{{member}}",
    "group_consent": f"POST {_GROUP}/consents",
    "group_withdraw": f"DELETE {_GROUP}/consents/{{id}}",
    "group_act": "POST /v1/acts",
    "catalogue_list": "GET /v1/catalogue",
    "catalogue_show": "GET /v1/catalogue/{address}",
    "catalogue_status": "GET /v1/catalogue/territories",
}
ACCOUNTS_WITHOUT: Final[Mapping[str, str]] = {
    "new_key": _KEYS,
    "keys": _KEYS,
    "revoke_key": _KEYS,
    "endow": "where there is a fund it alone issues, by a deposit that it signed; elsewhere it is said on the machine",
    "export": _FILES,
    "import": _FILES,
    "exchange": _FILES,
    "catalogue_export": _FILES,
    "catalogue_import": _FILES,
    "catalogue_publish": _JOB,
    "catalogue_fetch": _JOB,
    "solidarity_go_on": _JOB,
    "ask_statement": _JOB,
    "federation": "how the line to the hub is: told by /readyz and /metrics",
    "rotate": "a key of the node is changed on the machine that holds it",
    "retire": "a key of the node is changed on the machine that holds it",
    "recover": _PAPERS,
    "recovery": _PAPERS,
    "unplaced": _PAPERS,
    "settle_unplaced": _PAPERS,
    "evidence_seen": "who accuses a member was read by a person, who says so on the machine",
}
# Commands that each base of a house has.
HOUSE_WITHOUT: Final[Mapping[str, str]] = {
    "house_recover": _PAPERS,
    "house_recovery": _PAPERS,
    "house_rotate": "a key of a base is changed on the machine that holds it",
    "house_keys": "whose keys are believed is looked through on the machine",
}
