# cmake -DNPM=... -DSOURCE=... -DFOLDER=... -P run_npm.cmake: npm ci in FOLDER with the package files of SOURCE.
file(COPY ${SOURCE}/package.json ${SOURCE}/package-lock.json DESTINATION ${FOLDER})
execute_process(COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
  WORKING_DIRECTORY ${FOLDER} RESULT_VARIABLE status TIMEOUT 120)
if(NOT status EQUAL 0)
  message(WARNING "npm could not fetch uPlot (see above): the web app will have no curves")
endif()
