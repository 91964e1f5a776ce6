import { setTimeout as sleep } from 'node:timers/promises'
import { isPubSubError } from '@ps/core'
import { type Mutant, withEvents } from './mutant.js'

export const faultMutants: readonly Mutant[] = [
  {
    fault: 'leaves a publish whose connection is lost to itself',
    fails: ['a publish that is under way'],
    change: {
      code: [
        'of unanswered.values()) reject',
        "of unanswered.values()) if (codeIfLost !== 'outcome_unknown') reject",
      ],
    },
  },
  {
    fault: 'resolves a publish before the broker has acknowledged it',
    fails: ['a busy link', 'a publish that is under way', 'while the broker is away, publish()'],
    change: {
      backend: ({ publish }) => ({
        async publish(channel, payload) {
          void publish(channel, payload).catch(() => {})
        },
      }),
    },
  },
  {
    fault: 'sends again in secret what may have arrived',
    fails: ['a busy link', 'a publish that is under way'],
    change: {
      backend: ({ publish }) => ({
        async publish(channel, payload) {
          let isUnderWay = false
          for (;;) {
            try {
              return await publish(channel, payload)
            } catch (error) {
              isUnderWay ||= isPubSubError(error, 'outcome_unknown')
              if (!isUnderWay || isPubSubError(error, 'closed')) throw error
              await sleep(20)
            }
          }
        },
      }),
    },
  },
  {
    fault: 'waits with a publish for the broker to come back',
    fails: ['a broker that is away at the start'],
    change: {
      backend: ({ publish }) => ({
        async publish(channel, payload) {
          for (;;) {
            try {
              return await publish(channel, payload)
            } catch (error) {
              if (!isPubSubError(error, 'not_sent')) throw error
              await sleep(20)
            }
          }
        },
      }),
    },
  },
  {
    fault: 'never notices that a link is dead',
    fails: ['an idle link', 'a busy link', 'close() ends a backend whose link is dead'],
    change: { code: ['++silent > 3)', '++silent > 3_000)'] },
  },
  {
    fault: 'rejects start() while the broker is away',
    fails: ['a broker that is away at the start', 'close() ends a backend that has never'],
    change: { code: ['await (opening = open().catch(() => {}))', 'await (opening = open())'] },
  },
  {
    fault: 'hangs in start() while the broker is away',
    fails: ['a broker that is away at the start'],
    change: {
      code: [
        'await (opening = open().catch(() => {}))',
        'opening = open().catch(() => {}); while (down && !closing) await opening',
      ],
    },
  },
  {
    fault: 'tells a gap at its first connection',
    fails: ['a broker that is away at the start'],
    change: { code: ['if (wasReady) events.gap(down)', 'events.gap(down)'] },
  },
  {
    fault: 'tells no gap',
    fails: [
      'a cut connection is told',
      'cut again and again',
      'while the broker is away, publish()',
      'each listener that was live',
      'what is published while the broker is away',
    ],
    change: { code: ['if (wasReady) events.gap(down)', ''] },
  },
  {
    fault: 'tells a gap twice',
    fails: ['a cut connection is told', '10,000 messages of 100', 'each listener that was live'],
    change: {
      backend: withEvents(({ gap }) => ({
        gap(reason) {
          gap(reason)
          gap(reason)
        },
      })),
    },
  },
  {
    fault: 'tells a gap after the first message behind it',
    fails: ['a cut connection is told', 'cut again and again', 'each listener that was live'],
    change: {
      backend: withEvents(({ gap, message }) => {
        let late: string | undefined
        return {
          gap(reason) {
            late = reason
          },
          message(channel, payload) {
            message(channel, payload)
            if (late !== undefined) gap(late)
            late = undefined
          },
        }
      }),
    },
  },
  {
    fault: 'takes itself for connected before its subscriptions are confirmed',
    fails: ['while the broker is away, publish()', 'an outage is one change of the state'],
    change: {
      code: [
        "await send('subscribe', { channels: [...wanted] })",
        "void send('subscribe', { channels: [...wanted] }).catch(() => {})",
      ],
    },
  },
  {
    fault: 'never says that it is down',
    fails: ['a cut connection is told', 'a channel that is subscribed while'],
    change: {
      backend: withEvents(({ state }) => ({
        state: (next) => (next === 'down' ? undefined : state(next)),
      })),
    },
  },
  {
    fault: 'is subscribed twice after a reconnect',
    fails: [
      'a cut connection is told',
      'cut again and again',
      '10,000 messages of 100',
      'what is published while the broker is away',
    ],
    change: {
      backend: withEvents(({ gap, message }) => {
        let times = 1
        return {
          gap(reason) {
            times = 2
            gap(reason)
          },
          message(channel, payload) {
            for (let time = 0; time < times; time += 1) message(channel, payload)
          },
        }
      }),
    },
  },
  {
    fault: 'gives up reconnecting after one attempt',
    fails: ['while the broker is away, publish()', 'an outage is one change of the state'],
    change: {
      code: [
        '    opening = open().catch(() => {})',
        '    opening = (attempt < 2 ? open() : sleep(2 ** 30, undefined, { signal: stopping.signal })).catch(() => {})',
      ],
    },
  },
  {
    fault: 'does not send a subscription again that its connection took along',
    fails: ['a channel that is subscribed while the broker is away'],
    change: { code: ['wanted.add(channel)', 'if (!down) wanted.add(channel)'] },
  },
  {
    fault: 'forgets what is let go while the broker is away',
    fails: ['a channel that is let go while'],
    change: { code: ['wanted.delete(channel)', 'if (!down) wanted.delete(channel)'] },
  },
  {
    fault: 'answers a ping without asking the broker',
    fails: ['a broker that is away at the start', 'while the broker is away, publish()'],
    change: { code: ["ping: () => send('ping')", 'ping: async () => {}'] },
  },
  {
    fault: 'says of what it has not sent that it may have arrived',
    fails: ['a broker that is away at the start', 'while the broker is away, publish()'],
    change: { code: ["'not_sent', 'outcome_unknown'", "'outcome_unknown', 'outcome_unknown'"] },
  },
  {
    fault: 'says of what may have arrived that it has not sent it',
    fails: ['a busy link'],
    change: { code: ["'not_sent', 'outcome_unknown'", "'not_sent', 'not_sent'"] },
  },
  {
    fault: 'rejects a publish whose connection is lost as unavailable',
    fails: ['a publish that is under way'],
    change: { code: ["'not_sent', 'outcome_unknown'", "'not_sent', 'unavailable'"] },
  },
  {
    fault: 'confirms a subscription that close() has ended',
    fails: ['close() ends a backend that has never', 'close() ends a backend whose link is dead'],
    change: { code: ['      if (closing) throw failure', '      if (closing) return failure'] },
  },
  {
    fault: 'does not tell the broker what it lets go',
    fails: ['when the last listener has gone', 'messages() subscribes', 'after a reconnect an unsubscribe'],
    change: { code: ["send('unsubscribe', { channels: [channel] })", "send('ping')"] },
  },
  {
    fault: 'does not wait until the broker has let go',
    fails: ['when the last listener has gone', 'messages() subscribes', 'after a reconnect an unsubscribe'],
    change: { code: ['if (!down) await left', ''] },
  },
  {
    fault: 'cannot let go of what it has subscribed to anew',
    fails: ['after a reconnect an unsubscribe'],
    change: {
      backend: ({ start, unsubscribe }) => {
        let isAnew = false
        return {
          start: (events) =>
            start({
              ...events,
              gap(reason) {
                isAnew = true
                events.gap(reason)
              },
            }),
          unsubscribe: (channel) => (isAnew ? Promise.resolve() : unsubscribe(channel)),
        }
      },
    },
  },
]
