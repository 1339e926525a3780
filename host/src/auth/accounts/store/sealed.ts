import { CompactEncrypt, compactDecrypt } from 'jose'
import type { KeyRing } from '../account-keys.ts'

/** Texts that only this host can make and read. */
export interface Seal {
  /** What is sealed for one `subject` opens for no other. */
  seal(subject: string, value: unknown): Promise<string>
  /** Throws for what was made with another key, for another purpose or for another subject, and for what was changed. */
  open(subject: string, text: string): Promise<{ readonly value: unknown; readonly isOfOldKey: boolean }>
}

/** JWE by jose (RFC 7516): `dir` with A256GCM. The subject is part of the protected header. */
export function createSeal(keys: KeyRing): Seal {
  const [current] = keys
  return {
    seal: (subject, value) =>
      new CompactEncrypt(Buffer.from(JSON.stringify(value)))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: current.id, sub: subject })
        .encrypt(current.bytes),
    async open(subject, text) {
      let isOfOldKey = false
      const { plaintext, protectedHeader } = await compactDecrypt(
        text,
        ({ kid }) => {
          const key = keys.find(({ id }) => id === kid)
          if (!key) throw new Error('It was sealed with a key that this host does not have')
          isOfOldKey = key !== current
          return key.bytes
        },
        { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] },
      )
      if (protectedHeader['sub'] !== subject) throw new Error('It was sealed for something else')
      return { value: JSON.parse(Buffer.from(plaintext).toString('utf8')), isOfOldKey }
    },
  }
}
