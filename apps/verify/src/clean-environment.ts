import { delimiter } from 'node:path'
import { workspace } from './workspace.js'

/** What the package manager that runs us says of us, and what would choose another broker than ours. */
const notForOthers =
  /^(npm_package_|npm_lifecycle_|npm_execpath$|npm_command$|npm_config_(user_agent|local_prefix)$|pnpm_|init_cwd$|pubsub_|database_url$|redis_url$|node_env$|turbo_)/i

/** The environment of a person in a folder of their own: nothing of this workspace, no choice of a broker. */
export function cleanEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !notForOthers.test(name))
  const path = (environment.PATH ?? '').split(delimiter).filter((folder) => !folder.startsWith(workspace))
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) }
}
