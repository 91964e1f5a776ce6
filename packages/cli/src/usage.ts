export const defaultChannel = 'hello'

/** How long a command waits for a server, in milliseconds. */
export const patience = 5_000

export const usage = `Usage: pubsub <command>

  publish [channel] [json]             publish one message
  listen [channel]                     print one JSON line a message
    --count <n>                        stop after n messages
    --timeout <seconds>                stop after so long; with --count, fail when fewer came
  both [--backend redis|postgres]      listen, publish and check that everything arrives, with times
    --count <n>                        how many messages (default 100)
  doctor                               what would be used and why, what is wrong with it, and how to mend it
    --channel <name>                   try this channel, with 20 messages on it, in place of one of its own
    --json                             one JSON object

  --verbose                            tell what the client does
  --help, --version

Without arguments publish and listen use the channel "${defaultChannel}". Where the brokers are is read from
PUBSUB_BACKEND (postgres or redis), DATABASE_URL, REDIS_URL and PUBSUB_FALLBACK.
`

/** A mistake in the command line, or a failure that is told in one line. */
export class CommandError extends Error {}
