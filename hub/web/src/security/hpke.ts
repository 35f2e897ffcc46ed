/**
 * HPKE in base mode (RFC 9180) with DHKEM(X25519, HKDF-SHA256) and HKDF-SHA256, of which WebCrypto has all the
 * parts. One message a key schedule, so the nonce is the base nonce.
 */

import { bigEndian, joined, utf8, type Bytes } from "./bytes";

const KEM_ID = 0x0020;
const KDF_ID = 0x0001;
const HASH_BYTES = 32;
const NONCE_BYTES = 12;
export const PUBLIC_KEY_BYTES = 32;

/** The registered numbers of AEADs, and the length of their keys. */
export const AEAD = { AES_128_GCM: { id: 1, keyBytes: 16 }, AES_256_GCM: { id: 2, keyBytes: 32 } } as const;
export type Aead = (typeof AEAD)[keyof typeof AEAD];

/** A receiver's key pair; the private part may be one that can't be read out. */
export interface KeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: Bytes;
}

const EMPTY: Bytes = new Uint8Array(0);
const VERSION = utf8("HPKE-v1");
const KEM_SUITE = joined(utf8("KEM"), bigEndian(KEM_ID, 2));

const hpkeSuite = (aead: Aead): Bytes =>
  joined(utf8("HPKE"), bigEndian(KEM_ID, 2), bigEndian(KDF_ID, 2), bigEndian(aead.id, 2));

async function hmac(key: Bytes, message: Bytes): Promise<Bytes> {
  // An empty key is as good as one of zeros, and WebCrypto takes no empty one.
  const material = key.length > 0 ? key : new Uint8Array(HASH_BYTES);
  const imported = await crypto.subtle.importKey("raw", material, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
}

async function expand(key: Bytes, info: Bytes, length: number): Promise<Bytes> {
  let output: Bytes = EMPTY;
  let block: Bytes = EMPTY;
  for (let counter = 1; output.length < length; counter += 1) {
    block = await hmac(key, joined(block, info, bigEndian(counter, 1)));
    output = joined(output, block);
  }
  return output.slice(0, length);
}

const labeledExtract = (suite: Bytes, salt: Bytes, label: string, material: Bytes): Promise<Bytes> =>
  hmac(salt, joined(VERSION, suite, utf8(label), material));

const labeledExpand = (suite: Bytes, key: Bytes, label: string, info: Bytes, length: number): Promise<Bytes> =>
  expand(key, joined(bigEndian(length, 2), VERSION, suite, utf8(label), info), length);

async function exchanged(privateKey: CryptoKey, publicKey: Bytes): Promise<Bytes> {
  const other = await crypto.subtle.importKey("raw", publicKey, { name: "X25519" }, false, []);
  const bits = await crypto.subtle.deriveBits({ name: "X25519", public: other }, privateKey, 256);
  return new Uint8Array(bits);
}

async function sharedSecret(exchange: Bytes, encapsulated: Bytes, receiver: Bytes): Promise<Bytes> {
  const key = await labeledExtract(KEM_SUITE, EMPTY, "eae_prk", exchange);
  return labeledExpand(KEM_SUITE, key, "shared_secret", joined(encapsulated, receiver), HASH_BYTES);
}

async function keySchedule(aead: Aead, shared: Bytes, info: Bytes): Promise<{ key: CryptoKey; nonce: Bytes }> {
  const suite = hpkeSuite(aead);
  const context = joined(
    bigEndian(0, 1),
    await labeledExtract(suite, EMPTY, "psk_id_hash", EMPTY),
    await labeledExtract(suite, EMPTY, "info_hash", info),
  );
  const secret = await labeledExtract(suite, shared, "secret", EMPTY);
  const raw = await labeledExpand(suite, secret, "key", context, aead.keyBytes);
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
  return { key, nonce: await labeledExpand(suite, secret, "base_nonce", context, NONCE_BYTES) };
}

const cipher = (nonce: Bytes, aad: Bytes): AesGcmParams => ({ name: "AES-GCM", iv: nonce, additionalData: aad });

/** Open `encapsulated key || ciphertext`; rejects with an OperationError where anything differs. */
export async function open(
  receiver: KeyPair,
  sealed: Bytes,
  options: { info: Bytes; aad?: Bytes; aead?: Aead },
): Promise<Bytes> {
  const encapsulated = sealed.slice(0, PUBLIC_KEY_BYTES);
  const exchange = await exchanged(receiver.privateKey, encapsulated);
  const shared = await sharedSecret(exchange, encapsulated, receiver.publicKey);
  const { key, nonce } = await keySchedule(options.aead ?? AEAD.AES_256_GCM, shared, options.info);
  const plain = await crypto.subtle.decrypt(cipher(nonce, options.aad ?? EMPTY), key, sealed.slice(PUBLIC_KEY_BYTES));
  return new Uint8Array(plain);
}

/** Seal for a raw public key; `ephemeral` is for test vectors only. */
export async function seal(
  receiver: Bytes,
  plain: Bytes,
  options: { info: Bytes; aad?: Bytes; aead?: Aead; ephemeral?: KeyPair },
): Promise<Bytes> {
  const ephemeral = options.ephemeral ?? (await newKeyPair());
  const exchange = await exchanged(ephemeral.privateKey, receiver);
  const shared = await sharedSecret(exchange, ephemeral.publicKey, receiver);
  const { key, nonce } = await keySchedule(options.aead ?? AEAD.AES_256_GCM, shared, options.info);
  const encrypted = await crypto.subtle.encrypt(cipher(nonce, options.aad ?? EMPTY), key, plain);
  return joined(ephemeral.publicKey, new Uint8Array(encrypted));
}

/** A new key pair whose private part no script can read. */
export async function newKeyPair(): Promise<KeyPair> {
  const pair = (await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"])) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { privateKey: pair.privateKey, publicKey };
}
