const gun = require('@holster/gun')
const process = require('@holster/process')
const { argv } = require('node:process')
const { talk } = require('./talk.mjs')

talk(gun, process, Number(argv[2]))
