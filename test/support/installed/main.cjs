const gun = require('@holster/gun')
const process = require('@holster/process')
const { fromProcess } = require('@holster/process/xstate')
const { argv } = require('node:process')
const { talk } = require('./talk.mjs')

talk(gun, { ...process, fromProcess }, Number(argv[2]))
