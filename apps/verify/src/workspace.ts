import { fileURLToPath } from 'node:url'

/** The folder of the workspace that this program is a part of. */
export const workspace = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
