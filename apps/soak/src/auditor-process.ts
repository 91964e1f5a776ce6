import { startChild } from './child-process.js'
import type { AuditNotice, AuditOrder } from './messages.js'

/** The auditor, as the orchestrator sees it. */
export interface AuditorProcess {
  /** Where the fleets report to. */
  readonly port: number
  tell(order: AuditOrder): void
  /** Has it print the table. Resolves with whether every limit is kept. */
  judge(): Promise<boolean>
  close(): Promise<void>
}

/** `onEnd` is called where it ends before it was asked to judge. */
export function startAuditor(onEnd: (reason: Error) => void): Promise<AuditorProcess> {
  return new Promise((resolve, reject) => {
    let judging = false
    const child = startChild<AuditNotice>({
      file: 'auditor.js',
      onMessage(notice) {
        if (notice.kind === 'listening') resolve({ port: notice.port, tell, judge, close })
      },
    })
    const tell = (order: AuditOrder): void => child.send(order)
    const judge = async (): Promise<boolean> => {
      judging = true
      tell({ kind: 'judge' })
      const code = await child.exited
      if (child.errors() !== '') process.stderr.write(`${child.errors()}\n`)
      return code === 0
    }
    const close = async (): Promise<void> => {
      judging = true
      if (!child.hasExited()) child.kill()
      await child.exited
    }
    void child.exited.then((code) => {
      if (judging) return
      const reason = new Error(`the auditor ended with ${code}: ${child.errors()}`)
      reject(reason)
      onEnd(reason)
    })
  })
}
