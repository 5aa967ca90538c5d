// Icons of the toolbar, in the manner of `@ui/icons`: path data in a box of 20 by 20.

export const undo = 'M7.5 4.5 3.75 8.25 7.5 12M4.25 8.25h7.5a4.25 4.25 0 0 1 0 8.5H8.5'
export const redo = 'M12.5 4.5l3.75 3.75L12.5 12M15.75 8.25h-7.5a4.25 4.25 0 0 0 0 8.5h3.25'
export const bold = 'M6 4.25h4.75a2.9 2.9 0 0 1 0 5.75H6zM6 10h5.5a2.9 2.9 0 0 1 0 5.75H6z'
export const italic = 'M11.75 4.25h-4M12.25 15.75h-4M11 4.25l-2 11.5M11.75 4.25h2.5M5.75 15.75h2.5'
export const highlight = 'm6 12 6.75-8 3.75 3-6.75 8zM6 12l-1 3.25 1.25 1 3.5-1.25M3.25 17.5h5'
export const bullets = 'M8 5.25h9M8 10h9M8 14.75h9M4 5.25h.01M4 10h.01M4 14.75h.01'
export const numbers = 'M8.5 5.25H17M8.5 10H17M8.5 14.75H17M3.25 4.25l1.25-.75v4M3 12.75c.5-1 2.25-.75 2.25.4 0 .9-1.25 1.35-2.25 2.6h2.5'
export const tasks = 'M3 4.25h4v4H3zM3 12h4v4H3zM10 6.25h7M10 14h7M3.9 6.25l.85.85L6.4 5.4'
export const outline = 'M3.5 5h13M6.5 10h10M9.5 15h7'
