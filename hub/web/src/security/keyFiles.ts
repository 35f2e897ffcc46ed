/**
 * Envelopes that hold a private key: made by the agent of a private key store for this browser, or by this
 * browser for the agent. The hub only carries them. The format is that of `pki/key_files.py`.
 */

import { bigEndian, fromBase64, joined, toBase64, utf8, type Bytes } from "./bytes";
import * as hpke from "./hpke";

const ENVELOPE_VERSION = 1;
const DOMAIN = utf8("certwright seal v1\0");

/** A file with a private key and what opens it; an empty passphrase: nothing does. */
export interface KeyFile {
  readonly content: Bytes;
  readonly passphrase: string;
}

/** What a download's envelope is bound to: one that was made for anything else does not open. */
export interface DownloadContext {
  readonly downloadId: string;
  readonly agentId: string;
  readonly certificateSha256: string;
  readonly format: string;
}

/** What an upload's envelope is bound to. */
export interface UploadContext {
  readonly agentId: string;
  readonly certificateSha256: string;
}

/** The envelope was damaged, or made for something or somebody else. */
export class EnvelopeError extends Error {
  constructor() {
    super("The sealed key can't be opened: it was changed on its way, or was made for another receiver.");
  }
}

function bound(...parts: readonly string[]): Bytes {
  const info = utf8(JSON.stringify(parts));
  // The second length is that of the additional data, of which key files have none.
  return joined(DOMAIN, bigEndian(info.length, 4), info, bigEndian(0, 4));
}

const downloadInfo = (context: DownloadContext): Bytes =>
  bound("certwright-key-download-v1", context.downloadId, context.agentId, context.certificateSha256, context.format);

const uploadInfo = (context: UploadContext): Bytes =>
  bound("certwright-key-upload-v1", context.agentId, context.certificateSha256);

export async function openDownload(
  receiver: hpke.KeyPair,
  envelope: Bytes,
  context: DownloadContext,
): Promise<KeyFile> {
  if (envelope[0] !== ENVELOPE_VERSION) throw new EnvelopeError();
  try {
    const plain = await hpke.open(receiver, envelope.slice(1), { info: downloadInfo(context) });
    const document = JSON.parse(new TextDecoder().decode(plain)) as { content: string; passphrase: string };
    return { content: fromBase64(document.content), passphrase: document.passphrase };
  } catch {
    throw new EnvelopeError();
  }
}

export async function sealUpload(receiver: Bytes, file: KeyFile, context: UploadContext): Promise<Bytes> {
  const document = { content: toBase64(file.content), passphrase: file.passphrase };
  const sealed = await hpke.seal(receiver, utf8(JSON.stringify(document)), { info: uploadInfo(context) });
  return joined(bigEndian(ENVELOPE_VERSION, 1), sealed);
}
