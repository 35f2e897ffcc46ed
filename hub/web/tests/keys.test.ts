import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import vectors from "../../../tests/vectors/key_downloads.json";
import { fromBase64, fromHex, joined, toBase64, toHex, utf8, type Bytes } from "../src/security/bytes";
import * as hpke from "../src/security/hpke";
import { downloadKey, KeyTransferFailed, uploadKey, type KeyTransfer } from "../src/security/keyDownload";
import { EnvelopeError, openDownload, sealUpload } from "../src/security/keyFiles";
import { receiverFingerprint, receiverKey } from "../src/security/receiverKey";

interface Vector {
  receiver_private: string;
  receiver_public: string;
  fingerprint: string;
  download_id: string;
  agent_id: string;
  certificate_sha256: string;
  format: string;
  envelope: string;
  content: string;
  passphrase: string;
}

// Made by the agents' side, which checks that it opens them too.
const VECTORS: readonly Vector[] = vectors;
const PKCS8_X25519 = fromHex("302e020100300506032b656e04220420");

async function keyPair(privateHex: string, publicHex: string): Promise<hpke.KeyPair> {
  const pkcs8 = joined(PKCS8_X25519, fromHex(privateHex));
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "X25519" }, false, ["deriveBits"]);
  return { privateKey, publicKey: fromHex(publicHex) };
}

const contextOf = (vector: Vector) => ({
  downloadId: vector.download_id,
  agentId: vector.agent_id,
  certificateSha256: vector.certificate_sha256,
  format: vector.format,
});

describe("HPKE", () => {
  // RFC 9180, A.1.1, first encryption.
  const info = fromHex("4f6465206f6e2061204772656369616e2055726e");
  const aad = fromHex("436f756e742d30");
  const plain = fromHex("4265617574792069732074727574682c20747275746820626561757479");
  const receiverPublic = "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d";
  const receiver = () => keyPair("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8", receiverPublic);
  const enc = "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431";
  const ciphertext =
    "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a";

  it("opens and seals what the RFC shows", async () => {
    const options = { info, aad, aead: hpke.AEAD.AES_128_GCM };
    expect(await hpke.open(await receiver(), fromHex(enc + ciphertext), options)).toEqual(plain);
    const ephemeral = await keyPair("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736", enc);
    const sealed = await hpke.seal(fromHex(receiverPublic), plain, { ...options, ephemeral });
    expect(toHex(sealed)).toBe(enc + ciphertext);
  });
});

describe("envelopes of agents", () => {
  it.each(VECTORS)("open here: $format", async (vector) => {
    const pair = await keyPair(vector.receiver_private, vector.receiver_public);
    const file = await openDownload(pair, fromBase64(vector.envelope), contextOf(vector));
    expect(toBase64(file.content)).toBe(vector.content);
    expect(file.passphrase).toBe(vector.passphrase);
    expect(await receiverFingerprint(pair.publicKey)).toBe(vector.fingerprint);
  });

  it("open for nothing and nobody else", async () => {
    const [vector, other] = VECTORS as readonly [Vector, Vector];
    const pair = await keyPair(vector.receiver_private, vector.receiver_public);
    const envelope = fromBase64(vector.envelope);
    const context = contextOf(vector);
    const stranger = await keyPair(other.receiver_private, other.receiver_public);
    const wrong: (() => Promise<unknown>)[] = [
      () => openDownload(pair, envelope, { ...context, downloadId: "another" }),
      () => openDownload(pair, envelope, { ...context, agentId: "another" }),
      () => openDownload(pair, envelope, { ...context, certificateSha256: "00" }),
      () => openDownload(pair, envelope, { ...context, format: "pem" }),
      () => openDownload(stranger, envelope, context),
      () => openDownload(pair, envelope.map((value, place) => (place === 90 ? value ^ 1 : value)), context),
      () => openDownload(pair, envelope.map((value, place) => (place === 0 ? 2 : value)), context),
      () => openDownload(pair, envelope.slice(0, 40), context),
    ];
    for (const attempt of wrong) await expect(attempt()).rejects.toBeInstanceOf(EnvelopeError);
  });
});

describe("the browser's key", () => {
  it("is the same again and can't be read", async () => {
    const pair = await receiverKey();
    expect(await receiverKey()).toBe(pair);
    await expect(crypto.subtle.exportKey("pkcs8", pair.privateKey)).rejects.toThrow();
  });
});

describe("transfers", () => {
  const transfer: KeyTransfer = {
    id: "d-1",
    kind: "download",
    certificate_id: 7,
    agent_id: "agent-1",
    certificate_sha256: "ab".repeat(32),
    format: "pem",
    receiver_fingerprint: "",
    state: "Requested",
    reason: "",
    message: "",
    requested_by: "alice",
    created_at: "",
    expires_at: "",
    envelope: null,
  };
  const calls: { method: string; path: string; body: Record<string, string> }[] = [];
  let answers: KeyTransfer[] = [];

  beforeEach(() => {
    calls.length = 0;
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      const body = init.body ? (JSON.parse(init.body as string) as Record<string, string>) : {};
      calls.push({ method: init.method ?? "GET", path: url, body });
      return Promise.resolve(new Response(JSON.stringify(answers.shift()), { status: 200 }));
    });
  });
  afterEach(() => vi.unstubAllGlobals());

  async function envelopeFor(publicKey: Bytes): Promise<string> {
    const parts = ["certwright-key-download-v1", "d-1", "agent-1", transfer.certificate_sha256, "pem"];
    const info = utf8(JSON.stringify(parts));
    const bound = joined(
      utf8("certwright seal v1\0"), fromHex(info.length.toString(16).padStart(8, "0")), info, new Uint8Array(4),
    );
    const plain = utf8(JSON.stringify({ content: toBase64(utf8("the key")), passphrase: "secret" }));
    return toBase64(joined(new Uint8Array([1]), await hpke.seal(publicKey, plain, { info: bound })));
  }

  it("wait for the agent and open what it sealed", async () => {
    const { publicKey } = await receiverKey();
    answers = [transfer, transfer, { ...transfer, state: "Fetched", envelope: await envelopeFor(publicKey) }];
    const key = await downloadKey(7, "pem", { intervalMs: 1 });
    expect(new TextDecoder().decode(key.content)).toBe("the key");
    expect(key.passphrase).toBe("secret");
    expect(calls[0]).toEqual({
      method: "POST",
      path: "/api/v1/certificates/7/key-downloads",
      body: { receiver_public_key: toBase64(publicKey), format: "pem" },
    });
    expect(calls[2]?.path).toBe("/api/v1/certificates/7/key-downloads/d-1");
  });

  it("say why the agent refused", async () => {
    const refused = { ...transfer, state: "Failed" as const, reason: "PolicyRefused", message: "not to you" };
    answers = [transfer, refused];
    const failed = await downloadKey(7, "pem", { intervalMs: 1 }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(KeyTransferFailed);
    expect((failed as KeyTransferFailed).reason).toBe("PolicyRefused");
  });

  it("can be given up", async () => {
    answers = [transfer];
    const giveUp = new AbortController();
    const going = downloadKey(7, "pem", { intervalMs: 60_000, signal: giveUp.signal });
    giveUp.abort();
    await expect(going).rejects.toThrow("given up");
  });

  it("seal a key to the agent, and only to the one whose fingerprint was shown", async () => {
    const agent = await hpke.newKeyPair();
    const receiver = {
      agent_id: "agent-1",
      agent_name: "store",
      connected: true,
      receiver_public_key: toBase64(agent.publicKey),
      receiver_fingerprint: await receiverFingerprint(agent.publicKey),
      certificate_sha256: transfer.certificate_sha256,
    };
    answers = [{ ...transfer, kind: "upload" }, { ...transfer, kind: "upload", state: "Stored" }];
    await uploadKey(7, receiver, { content: utf8("the key"), passphrase: "" }, { intervalMs: 1 });
    expect(calls[0]?.path).toBe("/api/v1/certificates/7/key-uploads");
    expect(JSON.stringify(calls)).not.toContain(toBase64(utf8("the key")));
    const other = { ...receiver, receiver_fingerprint: "sha256:00" };
    await expect(uploadKey(7, other, { content: utf8("the key"), passphrase: "" })).rejects.toThrow("fingerprint");
  });

  it("make envelopes that agents open", async () => {
    const [vector] = VECTORS as readonly [Vector];
    const context = { agentId: vector.agent_id, certificateSha256: vector.certificate_sha256 };
    const envelope = await sealUpload(fromHex(vector.receiver_public), { content: utf8("ké"), passphrase: "ü" }, context);
    expect(envelope[0]).toBe(1);
  });
});
