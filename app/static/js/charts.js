/* Draws the charts of a page. Numbers and words come from the page's JSON block, colours from the
   stylesheet, so that a chart follows the theme and paper. Kinds: bars (lying), columns (standing),
   lines, boxes, heat. What a colour says a pattern says as well. */
(() => {
  'use strict'
  const block = document.getElementById('chart-data')
  if (!block || !window.echarts) return
  const page = JSON.parse(block.textContent)
  const language = document.documentElement.lang || 'id'
  const format = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })
  const say = (value) => (value === null || value === undefined ? '–' : format.format(value))
  const still = window.matchMedia('(prefers-reduced-motion: reduce)')
  const paper = window.matchMedia('print')
  const dark = window.matchMedia('(prefers-color-scheme: dark)')
  const PAPER_WIDTH = 660
  const NARROW = 520
  const ROW = { one: 36, more: 24 }

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  /* written into attributes of a saved picture, where a double quote would end them */
  const font = () => (token('--font') || 'sans-serif').replaceAll('"', "'")
  /* 'none' would bring ECharts' own stripes back */
  const plain = { symbol: 'none', color: 'transparent' }
  const stripes = (color) => ({ symbol: 'rect', color, dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: -Math.PI / 4 })
  const back = (color) => ({ symbol: 'rect', color, dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: Math.PI / 4 })
  const dots = (color) => ({ symbol: 'circle', color, dashArrayX: [[5, 5], [0, 5, 5, 0]], dashArrayY: [5, 0], symbolSize: 0.7 })
  const grid = (color) => ({ symbol: 'rect', color, dashArrayX: [[4, 4], [0, 4, 4, 0]], dashArrayY: [4, 0], symbolSize: 0.6 })
  const looks = () => ({
    main: { color: token('--chart-median'), decal: plain },
    soft: { color: token('--chart-p90'), decal: stripes(token('--chart-p90-mark')), border: token('--chart-median') },
    quiet: { color: token('--chart-wait'), decal: plain },
    dots: { color: token('--chart-wait-p90'), decal: dots(token('--chart-wait')), border: token('--chart-wait') },
    late: { color: token('--chart-late'), decal: back(token('--chart-late-mark')), border: token('--chart-standard') },
    cross: { color: token('--chart-p90'), decal: grid(token('--chart-median')), border: token('--chart-median') },
    pale: { color: token('--surface'), decal: back(token('--chart-wait')), border: token('--chart-wait') },
    standard: { color: token('--chart-standard'), decal: plain },
  })

  /* what every kind shares; an HTML tooltip would carry inline styles, which our policy forbids */
  const frame = (plot) => {
    const text = token('--text')
    return {
      animation: !still.matches && !paper.matches && !plot.file,
      animationDuration: 350,
      aria: { enabled: true, decal: { show: true }, label: { description: plot.words } },
      textStyle: { fontFamily: font(), color: text },
      tooltip: {
        renderMode: 'richText', trigger: 'axis', axisPointer: { type: 'shadow' }, confine: true,
        backgroundColor: token('--surface'), borderColor: token('--line-strong'), borderWidth: 1,
        textStyle: { color: text, fontSize: 13 },
        formatter: (found) => tip(plot, [found].flat()[0].dataIndex),
      },
      legend: {
        top: plot.head, left: 0, itemWidth: 20, itemHeight: 12, itemGap: 16, selectedMode: false,
        textStyle: { color: text, fontSize: 13 },
        data: [
          ...plot.series.map((item) => item.name),
          ...(plot.marks.some((value) => value !== null) ? [{ name: plot.marksName, icon: 'path://M0 0h3v14h-3z' }] : []),
        ],
      },
    }
  }
  const tip = (plot, place) => [
    plot.categories[place],
    ...plot.series.flatMap((item) => (plot.kind === 'boxes'
      ? plot.across.map((name, index) => `${name}: ${say(item.data[place][index])}`)
      : item.data[place] === null ? [] : [`${item.name}: ${say(item.data[place])}${plot.unit === '%' ? '%' : ''}`])),
    ...(plot.marks.length && plot.marks[place] !== null ? [`${plot.marksName}: ${say(plot.marks[place])}`] : []),
  ].join('\n')

  const values = (plot, more) => ({
    type: 'value', name: plot.unit, minInterval: plot.unit === '%' ? 0 : 1, nameTextStyle: { color: token('--muted'), fontSize: 12 },
    axisLabel: { color: token('--muted'), fontSize: 12, hideOverlap: true, formatter: (value) => format.format(value) },
    splitLine: { lineStyle: { color: token('--line') } }, ...(plot.unit === '%' ? { min: 0, max: 100 } : {}), ...more,
  })
  const names = (plot, more) => ({
    type: 'category', data: plot.categories, axisTick: { show: false },
    axisLine: { lineStyle: { color: token('--line-strong') } }, ...more,
  })
  const wideOf = (plot, narrow) => (narrow ? 104 : Math.min(230, Math.max(90, Math.max(...plot.categories.map((name) => name.length)) * 7.8 + 24)))
  /* a legend of long names takes more than one line */
  const legendOf = (plot, width) => {
    if (plot.kind === 'heat') return 0
    let lines = 1
    let x = 0
    for (const name of [...plot.series.map((item) => item.name), ...(plot.marks.length ? [plot.marksName] : [])]) {
      const need = name.length * 7.2 + 44
      if (x && x + need > width) { lines += 1; x = 0 }
      x += need
    }
    return lines * 22 + 16
  }
  const lying = (plot, narrow, width) => {
    const wide = wideOf(plot, narrow)
    return {
      grid: { top: plot.head + legendOf(plot, width), right: 52, bottom: 44, left: wide },
      xAxis: values(plot, { nameLocation: 'middle', nameGap: 28, splitNumber: narrow ? 3 : 5 }),
      yAxis: names(plot, {
        inverse: true,
        axisLabel: { color: token('--text'), fontSize: narrow ? 12 : 13, width: wide - 12, overflow: 'break', lineHeight: 15, interval: 0 },
      }),
    }
  }
  const standing = (plot, narrow, width) => ({
    grid: { top: plot.head + legendOf(plot, width) + 20, right: 16, bottom: 28, left: 52 },
    xAxis: names(plot, { axisLabel: { color: token('--text'), fontSize: 12, hideOverlap: true, rotate: narrow && plot.categories.length > 5 ? 40 : 0 } }),
    yAxis: values(plot, { nameLocation: 'end', nameGap: 10, nameTextStyle: { color: token('--muted'), fontSize: 12, align: 'left', padding: [0, 0, 0, -40] } }),
  })
  /* the line of a standard across its bars */
  const marks = (plot) => (plot.marks.some((value) => value !== null) ? [{
    name: plot.marksName, type: 'custom', z: 5, silent: true,
    itemStyle: { color: token('--chart-standard') },
    data: plot.marks.map((value, index) => [value, index]).filter(([value]) => value !== null),
    renderItem: (params, api) => {
      const [x, y] = api.coord([api.value(0), api.value(1)])
      const half = api.size([0, 1])[1] * 0.43
      return { type: 'rect', shape: { x: x - 1.5, y: y - half, width: 3, height: 2 * half }, style: { fill: token('--chart-standard') } }
    },
  }] : [])

  const bars = (plot, upright, toPixel, narrow) => {
    const every = looks()
    const many = plot.series.length * plot.categories.length > (upright ? (narrow ? 12 : 40) : 200)
    return plot.series.map((item) => {
      const look = every[item.look]
      return {
        name: item.name, type: 'bar', stack: plot.stacked ? 'all' : undefined,
        barGap: '12%', barCategoryGap: plot.series.length > 1 && !plot.stacked ? '30%' : '36%', barMaxWidth: 34,
        /* no frame around a bar of nothing */
        data: item.data.map((value) => (value === 0 ? { value, itemStyle: { borderWidth: 0 } } : value)),
        cursor: item.links.some(Boolean) ? 'pointer' : 'default',
        itemStyle: { color: look.color, decal: look.decal, borderColor: look.border || look.color, borderWidth: 1, borderRadius: plot.stacked ? 0 : upright ? [3, 3, 0, 0] : [0, 3, 3, 0] },
        labelLayout: ({ dataIndex, labelRect }) => {
          /* a number never stands on the line of the standard */
          const standard = plot.marks.length ? plot.marks[dataIndex] : null
          const x = toPixel && standard !== null ? toPixel(standard) : null
          return x && labelRect.x - 5 < x && x < labelRect.x + labelRect.width + 4
            ? { x: x + 6, y: labelRect.y + labelRect.height / 2, align: 'left', verticalAlign: 'middle' } : {}
        },
        label: {
          show: !plot.stacked && !many, position: upright ? 'top' : 'right', color: token('--text'), fontSize: 12,
          formatter: ({ value }) => (value === null || value === undefined ? '' : format.format(value)),
        },
      }
    })
  }
  /* the sum at the end of a stacked bar, as a bar of nothing that carries a label */
  const sums = (plot, upright) => (plot.stacked ? [{
    name: '', type: 'bar', stack: 'all', silent: true, data: plot.categories.map(() => 0), barMaxWidth: 34,
    itemStyle: { color: 'transparent', decal: plain },
    label: {
      show: plot.categories.length <= 40, position: upright ? 'top' : 'right', color: token('--text'), fontSize: 12,
      formatter: ({ dataIndex }) => {
        const sum = plot.series.reduce((total, item) => total + (item.data[dataIndex] || 0), 0)
        return sum ? format.format(Math.round(sum * 10) / 10) : ''
      },
    },
  }] : [])

  const kinds = {
    bars: (plot, narrow, toPixel, width) => ({ ...lying(plot, narrow, width), series: [...bars(plot, false, toPixel, narrow), ...sums(plot, false), ...marks(plot)] }),
    columns: (plot, narrow, toPixel, width) => ({ ...standing(plot, narrow, width), series: [...bars(plot, true, null, narrow), ...sums(plot, true)] }),
    boxes: (plot, narrow, toPixel, width) => ({
      ...lying(plot, narrow, width),
      series: [
        ...plot.series.map((item) => ({
          name: item.name, type: 'boxplot', data: item.data, boxWidth: [8, 26],
          itemStyle: { color: token('--chart-p90'), borderColor: token('--chart-median'), borderWidth: 2, decal: plain },
        })),
        ...marks(plot),
      ],
    }),
    lines: (plot, narrow, toPixel, width) => {
      const every = looks()
      return {
        ...standing(plot, narrow, width),
        series: plot.series.map((item, place) => ({
          name: item.name, type: 'line', data: item.data, connectNulls: false, symbolSize: item.look === 'standard' ? 0 : 8,
          step: item.look === 'standard' ? 'middle' : false, symbol: ['circle', 'rect', 'triangle'][place % 3], showSymbol: true,
          lineStyle: { color: every[item.look].color, width: 2.5, type: item.look === 'standard' ? 'dashed' : 'solid' },
          itemStyle: { color: every[item.look].color },
          label: { show: item.look !== 'standard' && plot.categories.length <= (narrow ? 6 : 14), position: 'top', color: token('--text'), fontSize: 12, formatter: ({ value }) => (value === null || value === undefined ? '' : format.format(value)) },
        })),
      }
    },
    heat: (plot, narrow) => {
      const cells = plot.series[0].data
      const most = Math.max(1, ...cells.flat())
      return {
        legend: { show: false },
        grid: { top: plot.head + 30, right: 8, bottom: 8, left: 52 },
        xAxis: { type: 'category', position: 'top', data: plot.across.map((name) => (narrow ? name.slice(0, 3) : name)), axisTick: { show: false }, axisLine: { show: false }, axisLabel: { color: token('--text'), fontSize: narrow ? 12 : 13, interval: 0 } },
        yAxis: { type: 'category', inverse: true, data: plot.categories, axisTick: { show: false }, axisLine: { show: false }, axisLabel: { color: token('--muted'), fontSize: 12, interval: 0 } },
        tooltip: { trigger: 'item' },
        series: [{
          name: plot.series[0].name, type: 'custom', cursor: plot.series[0].links.flat().some(Boolean) ? 'pointer' : 'default',
          data: cells.flatMap((row, hour) => row.map((value, day) => [day, hour, value])),
          renderItem: (params, api) => {
            const value = api.value(2)
            const [x, y] = api.coord([api.value(0), api.value(1)])
            const [width, height] = api.size([1, 1])
            const strength = value / most
            return {
              type: 'group',
              children: [
                { type: 'rect', shape: { x: x - width / 2 + 1, y: y - height / 2 + 1, width: width - 2, height: height - 2, r: 3 }, style: value ? { fill: token('--chart-median'), opacity: 0.1 + 0.9 * strength } : { fill: token('--sunken') } },
                ...(value ? [{ type: 'text', silent: true, style: { text: format.format(value), x, y, align: 'center', verticalAlign: 'middle', fontSize: 12, fontFamily: font(), fill: strength > 0.45 ? token('--on-accent') : token('--text') } }] : []),
              ],
            }
          },
          encode: { x: 0, y: 1 },
        }],
      }
    },
  }
  const heightOf = (plot, width) => {
    if (plot.kind === 'heat') return plot.categories.length * 26 + 40
    if (plot.kind !== 'bars' && plot.kind !== 'boxes') return 260 + legendOf(plot, width)
    const narrow = width < NARROW
    const letters = (wideOf(plot, narrow) - 12) / 6.4
    const lines = Math.max(...plot.categories.map((name) => Math.ceil(name.length / letters) + (name.length > letters ? 1 : 0)))
    const each = plot.kind === 'boxes' || plot.stacked || plot.series.length === 1 ? ROW.one : ROW.more * plot.series.length + 12
    return plot.categories.length * Math.max(each, lines * 15 + 8) + legendOf(plot, width) + 46
  }
  const option = (plot, width, toPixel) => {
    const base = frame(plot)
    const made = kinds[plot.kind](plot, width < NARROW, toPixel, width)
    const tooltip = { ...base.tooltip, ...made.tooltip }
    if (plot.kind === 'heat') {
      tooltip.formatter = ({ data }) => `${plot.across[data[0]]} ${plot.categories[data[1]]}\n${plot.series[0].name}: ${say(data[2])}`
    }
    if (plot.kind === 'boxes') tooltip.trigger = 'item'
    return { ...base, ...made, tooltip }
  }
  const linkOf = (plot, event) => {
    const item = plot.series[event.seriesIndex]
    if (!item) return null
    if (plot.kind === 'heat') return (item.links[event.data[1]] || [])[event.data[0]]
    return item.links[event.dataIndex]
  }

  const charts = [...document.querySelectorAll('[data-chart]')].map((box) => {
    const plot = { ...page.plots[Number(box.dataset.chart)], head: 0 }
    box.style.height = `${heightOf(plot, box.clientWidth)}px`
    const chart = window.echarts.init(box, null, { renderer: 'svg' })
    const draw = () => {
      const width = paper.matches ? PAPER_WIDTH : box.clientWidth
      if (!width) return
      box.style.height = `${heightOf(plot, width)}px`
      chart.resize({ width, height: heightOf(plot, width), silent: true })
      chart.setOption(option(plot, width, (value) => chart.convertToPixel({ xAxisIndex: 0 }, value)), true)
    }
    draw()
    chart.on('click', (event) => {
      const link = linkOf(plot, event)
      if (link) window.location.assign(link)
    })
    let width = box.clientWidth
    new ResizeObserver(() => {
      if (box.clientWidth === width || paper.matches) return
      width = box.clientWidth
      draw()
    }).observe(box)
    return draw
  })
  const redraw = () => { for (const draw of charts) draw() }
  document.addEventListener('aduan:theme', redraw)
  dark.addEventListener('change', redraw)
  paper.addEventListener('change', redraw)

  /* A picture: the same chart drawn once more, light as paper, with its title and its period. */
  const inLight = (make) => {
    const root = document.documentElement
    const theme = root.dataset.theme
    root.dataset.theme = 'light'
    try { return make() } finally {
      if (theme === undefined) delete root.dataset.theme
      else root.dataset.theme = theme
    }
  }
  const picture = (place) => inLight(() => {
    const plot = { ...page.plots[place], head: 58, file: true }
    const size = { width: 960, height: heightOf(plot, 960) + 58 }
    const chart = window.echarts.init(null, null, { renderer: 'svg', ssr: true, ...size })
    const drawn = option(plot, 960, null)
    chart.setOption({
      ...drawn,
      backgroundColor: token('--surface'),
      title: { text: plot.title, subtext: page.scope, left: 8, top: 4, textStyle: { color: token('--text'), fontSize: 17 }, subtextStyle: { color: token('--muted'), fontSize: 13 } },
    })
    const text = chart.renderToSVGString()
    chart.dispose()
    return { text, ...size }
  })
  const save = (blob, name) => {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = name
    document.body.append(link)
    link.click()
    link.remove()
    setTimeout(() => URL.revokeObjectURL(link.href), 10000)
  }
  const asPng = ({ text, width, height }) => new Promise((resolve, reject) => {
    const url = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }))
    const image = new Image()
    image.onerror = reject
    image.onload = () => {
      const canvas = document.createElement('canvas')
      canvas.width = width * 2
      canvas.height = height * 2
      canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height)
      URL.revokeObjectURL(url)
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png')
    }
    image.src = url
  })
  for (const button of document.querySelectorAll('[data-picture]')) {
    button.addEventListener('click', async () => {
      const place = Number(button.dataset.plot)
      const kind = button.dataset.picture
      const name = `${page.file}${place ? `_${place + 1}` : ''}.${kind}`
      const drawn = picture(place)
      save(kind === 'svg' ? new Blob([drawn.text], { type: 'image/svg+xml' }) : await asPng(drawn), name)
    })
  }
})()
