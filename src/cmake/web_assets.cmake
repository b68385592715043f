# What the pages of the web app take from npm (python/digitnet/web/package.json): fetched when the Python module is built,
# by the checksums of package-lock.json, and installed beside it. Where npm is missing or does not answer, everything else
# is built all the same and the pages go without their curves; the next build tries again.
find_program(DIGITNET_NPM npm DOC "npm, for the curves of the web app")
set(web_source ${PROJECT_SOURCE_DIR}/python/digitnet/web)
set(web_build ${CMAKE_CURRENT_BINARY_DIR}/web)
set(uplot ${web_build}/node_modules/uplot)
if(DIGITNET_NPM)
  add_custom_command(OUTPUT ${uplot}/dist/uPlot.esm.js
    COMMAND ${CMAKE_COMMAND} -DNPM=${DIGITNET_NPM} -DSOURCE=${web_source} -DFOLDER=${web_build}
            -P ${PROJECT_SOURCE_DIR}/src/cmake/run_npm.cmake
    DEPENDS ${web_source}/package.json ${web_source}/package-lock.json
    COMMENT "Fetching uPlot for the web app"
    VERBATIM)
  add_custom_target(digitnet_web_assets ALL DEPENDS ${uplot}/dist/uPlot.esm.js)
else()
  message(STATUS "npm is not there: the web app will have no curves")
endif()
install(FILES ${uplot}/dist/uPlot.esm.js ${uplot}/dist/uPlot.min.css ${uplot}/LICENSE
  DESTINATION digitnet/web/static/digitnet/vendor/uplot COMPONENT python OPTIONAL)
