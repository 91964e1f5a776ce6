// Imports all that entries.json names.
import { readFileSync } from 'node:fs'

for (const entry of JSON.parse(readFileSync('entries.json', 'utf8'))) {
  const names = Object.keys(await import(entry))
  if (names.length === 0 || names.includes('default')) throw new Error(`${entry} exports ${names}`)
  console.log(`${entry}: ${names.join(', ')}`)
}
