/** The drawing of the machine of connections, which the build lays out. */
declare module 'holster:statechart' {
  const chart: import('./chart.ts').Chart
  export default chart
}
