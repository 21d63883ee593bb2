// A PDS of our own with a PLC directory in memory, on loopback only: node box.mjs PDS_PORT PLC_PORT FOLDER [BLOB_LIMIT]
// Prints one line of JSON when both answer; ends with its standard input, so that it never outlives a test.
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { PDS } from '@atproto/pds'
import * as plc from '@did-plc/server'

const [pdsPort, plcPort, folder, blobLimit] = process.argv.slice(2)
mkdirSync(`${folder}/blobs`, { recursive: true })

const directory = plc.PlcServer.create({ db: plc.Database.mock(), port: Number(plcPort) })
await new Promise((ready) => {
  directory.server = directory.app.listen(Number(plcPort), '127.0.0.1', ready)
})

const secrets = {
  adminPassword: process.env.BOX_ADMIN ?? randomBytes(16).toString('hex'),
  jwtSecret: process.env.BOX_JWT_SECRET ?? randomBytes(32).toString('hex'),
}
const pds = await PDS.fromEnv({
  devMode: true,
  port: Number(pdsPort),
  hostname: 'localhost',
  dataDirectory: folder,
  blobstoreDiskLocation: `${folder}/blobs`,
  didPlcUrl: `http://127.0.0.1:${plcPort}`,
  plcRotationKeyK256PrivateKeyHex: randomBytes(32).toString('hex'),
  serviceHandleDomains: ['.test'],
  inviteRequired: false,
  disableSsrfProtection: true,
  crawlers: [],
  ...(blobLimit ? { blobUploadLimit: Number(blobLimit) } : {}),
  ...secrets,
})
// PDS.start() does the same and listens on every interface.
await pds.ctx.sequencer.start()
await new Promise((ready) => {
  pds.server = pds.app.listen(Number(pdsPort), '127.0.0.1', ready)
})
console.log(JSON.stringify({ ready: true, ...secrets }))

const end = async () => {
  try {
    pds.server?.close()
    directory.server?.close()
  } finally {
    process.exit(0)
  }
}
process.stdin.on('end', end).on('close', end).resume()
process.on('SIGTERM', end)
