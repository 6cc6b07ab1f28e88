@rem npm start begins with "exec": a POSIX shell then becomes the gateway, and its signals reach it. Here, run the rest.
@%*
