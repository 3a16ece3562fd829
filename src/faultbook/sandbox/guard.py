"""Keeps other sites out: this server answers to its own name and its own page only."""

from collections.abc import Awaitable, Callable

from aiohttp import web

_NAMES = {"127.0.0.1", "localhost", "[::1]"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_OPEN = ("/api/", "/link/")


def _refusal(request: web.Request) -> str:
    """Says why a request is refused; empty if it is not."""
    name, _, _ = request.host.rpartition(":")
    if (name or request.host) not in _NAMES:
        return f"this server does not answer to the name {request.host}"
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        return "requests from other sites are refused"
    if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
        return "requests from other sites are refused"
    wants_json = request.path.startswith("/_control/") and request.method == "POST"
    if wants_json and request.content_type != "application/json":
        return "the control API takes application/json"
    return ""


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuses cross-site and rebound requests, and adds the page's protective headers."""
    words = _refusal(request)
    if words:
        return web.json_response({"ok": False, "error": "forbidden", "detail": words}, status=403)
    response = await handler(request)
    if not response.prepared and not request.path.startswith(_OPEN):
        response.headers.update(_HEADERS)
    return response
