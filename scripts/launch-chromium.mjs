// Starts the Chromium of this machine for the scripts that keep pictures; ends the process with advice where there is none.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

export const launchChromium = () => {
  const executablePath = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
    .find((path) => existsSync(path));
  if (!executablePath) {
    console.error('No Chromium is installed. Debian and Ubuntu: apt-get install chromium');
    process.exit(2);
  }
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
};
