/**
 * Private keys in and out of private key stores. What the hub relays is sealed between the agent and this
 * browser: `downloadKey` opens what the agent made, `uploadKey` seals for the agent.
 */

import { get, post } from "../api/client";
import { fromBase64, toBase64, type Bytes } from "./bytes";
import { openDownload, sealUpload, type KeyFile } from "./keyFiles";
import { receiverFingerprint, receiverKey } from "./receiverKey";

export type KeyFormat = "pkcs12" | "pkcs12_legacy" | "pem";

/** A key transfer as the hub shows it. */
export interface KeyTransfer {
  readonly id: string;
  readonly kind: "download" | "upload";
  readonly certificate_id: number;
  readonly agent_id: string;
  readonly certificate_sha256: string;
  readonly format: string;
  readonly receiver_fingerprint: string;
  readonly state: "Requested" | "Ready" | "Fetched" | "Stored" | "Failed" | "Expired";
  readonly reason: string;
  readonly message: string;
  readonly requested_by: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly envelope: string | null;
}

/** The agent that a key can be uploaded to. */
export interface KeyReceiver {
  readonly agent_id: string;
  readonly agent_name: string;
  readonly connected: boolean;
  readonly receiver_public_key: string;
  /** To be compared with what `certwright-agent status` prints on the agent's host. */
  readonly receiver_fingerprint: string;
  readonly certificate_sha256: string;
}

/** A transfer that came to nothing; `reason` is the agent's or the hub's stable word. */
export class KeyTransferFailed extends Error {
  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

export interface Waiting {
  /** Between two looks, in milliseconds. */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
  readonly onState?: (transfer: KeyTransfer) => void;
}

/** A downloaded key, opened. The passphrase is shown to the person, and is nowhere else. */
export interface DownloadedKey extends KeyFile {
  readonly format: KeyFormat;
}

/** Have the agent seal the key to this browser, wait for it, and open it. */
export async function downloadKey(
  certificateId: number,
  format: KeyFormat = "pkcs12",
  waiting: Waiting = {},
): Promise<DownloadedKey> {
  const pair = await receiverKey();
  const body = { receiver_public_key: toBase64(pair.publicKey), format };
  const path = `/certificates/${certificateId}/key-downloads`;
  const asked = await post<KeyTransfer>(path, body);
  const transfer = await ended(`${path}/${asked.id}`, asked, waiting);
  if (transfer.envelope === null) throw failure(transfer);
  const file = await openDownload(pair, fromBase64(transfer.envelope), {
    downloadId: asked.id,
    agentId: transfer.agent_id,
    certificateSha256: transfer.certificate_sha256,
    format,
  });
  return { ...file, format };
}

/** To whom `uploadKey` will seal; the person compares the fingerprint first. */
export function keyReceiver(certificateId: number, agentId: string): Promise<KeyReceiver> {
  return get<KeyReceiver>(`/certificates/${certificateId}/key-receiver`, { agent_id: agentId });
}

/** Seal a key file (PEM, DER or PKCS#12, with its passphrase if it has one) to the agent, and hand it over. */
export async function uploadKey(
  certificateId: number,
  receiver: KeyReceiver,
  file: KeyFile,
  waiting: Waiting = {},
): Promise<void> {
  const publicKey = fromBase64(receiver.receiver_public_key);
  if ((await receiverFingerprint(publicKey)) !== receiver.receiver_fingerprint) {
    throw new KeyTransferFailed("ReceiverDiffers", "The fingerprint shown is not that of the agent's key.");
  }
  const envelope = await sealUpload(publicKey, file, {
    agentId: receiver.agent_id,
    certificateSha256: receiver.certificate_sha256,
  });
  const path = `/certificates/${certificateId}/key-uploads`;
  const asked = await post<KeyTransfer>(path, { agent_id: receiver.agent_id, envelope: toBase64(envelope) });
  const transfer = await ended(`${path}/${asked.id}`, asked, waiting);
  if (transfer.state !== "Stored") throw failure(transfer);
}

/** This browser's fingerprint, for the agent's `policy.toml`. */
export async function ownFingerprint(): Promise<string> {
  return receiverFingerprint((await receiverKey()).publicKey);
}

/** Offer bytes as a file; nothing is sent anywhere. */
export function saveFile(name: string, content: Bytes): void {
  const url = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read by then.
  setTimeout(() => { URL.revokeObjectURL(url); }, 10_000);
}

const failure = (transfer: KeyTransfer): KeyTransferFailed =>
  new KeyTransferFailed(transfer.reason || transfer.state, transfer.message || "Nothing came back.");

async function ended(path: string, asked: KeyTransfer, waiting: Waiting): Promise<KeyTransfer> {
  let transfer = asked;
  while (transfer.state === "Requested") {
    await pause(waiting.intervalMs ?? 500, waiting.signal);
    transfer = await get<KeyTransfer>(path, {}, waiting.signal);
    waiting.onState?.(transfer);
  }
  return transfer;
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new DOMException("given up", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
