"""A headless Chromium with a virtual authenticator (WebAuthn Level 2, 11), driven through CDP."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager

from playwright.async_api import async_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A machine that runs other tests beside takes its time to start a browser.
PATIENCE_MS = 120_000
_CREATE = """async (options) => {
  const made = await navigator.credentials.create(
    {publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)});
  return made.toJSON();
}"""
_GET = """async (options) => {
  const found = await navigator.credentials.get(
    {publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)});
  return found.toJSON();
}"""


class Authenticator:
    """A page of the hub, and the authenticator of the device it runs on."""

    def __init__(self, page, cdp, identifier):
        self.page, self.cdp, self.id = page, cdp, identifier

    async def create(self, options):
        return await self.page.evaluate(_CREATE, options)

    async def get(self, options):
        return await self.page.evaluate(_GET, options)

    async def verifies_users(self, verifies):
        await self.cdp.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": verifies}
        )

    async def credentials(self):
        found = await self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return found["credentials"]

    async def put(self, credential):
        await self.cdp.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": credential})

    async def clear(self):
        await self.cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})


@asynccontextmanager
async def authenticator(url):
    """Open ``url`` in a browser whose device has an authenticator."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS, headless=True, timeout=PATIENCE_MS
        )
        try:
            context = await browser.new_context(ignore_https_errors=True)
            page = await context.new_page()
            await page.goto(url, timeout=PATIENCE_MS)
            cdp = await context.new_cdp_session(page)
            await cdp.send("WebAuthn.enable")
            made = await cdp.send(
                "WebAuthn.addVirtualAuthenticator",
                {
                    "options": {
                        "protocol": "ctap2",
                        "transport": "internal",
                        "hasResidentKey": True,
                        "hasUserVerification": True,
                        "isUserVerified": True,
                        "automaticPresenceSimulation": True,
                    }
                },
            )
            yield Authenticator(page, cdp, made["authenticatorId"])
        finally:
            await browser.close()
